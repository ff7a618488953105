const say = (): void => undefined

/** A log that discards all lines, for clients of the testkit itself. */
export const silentLog = { debug: say, info: say, warn: say, error: say } as const
