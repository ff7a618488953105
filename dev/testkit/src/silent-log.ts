const say = (): void => undefined

/** A log that nobody reads, for clients that the testkit itself uses. */
export const silentLog = { debug: say, info: say, warn: say, error: say } as const
