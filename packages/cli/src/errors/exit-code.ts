/** How a command ends: 0 done, 1 failed, 2 cancelled (Ctrl-C), 4 needs a valid key. */
export const EXIT = { done: 0, failed: 1, cancelled: 2, needsKey: 4 } as const

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
