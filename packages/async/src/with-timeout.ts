/** Thrown when something took longer than it may. */
export class DeadlineError extends Error {
  /** The code of the outcome, for callers that sort errors by `type`. */
  readonly type = 'NO_ANSWER'

  constructor(ms: number) {
    super(`no answer within ${Math.round(ms)} ms`)
    this.name = 'DeadlineError'
  }
}

/**
 * The outcome of `work`, or a rejection with `onTimeout()` (default: `DeadlineError`) when it takes longer than `timeoutMs`.
 * The work itself continues; a later failure of it is ignored.
 */
export async function withTimeout<T>(
  work: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error = () => new DeadlineError(timeoutMs),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onTimeout()), Math.max(0, timeoutMs))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
