/** That something took too long. */
class LateError extends Error {
  readonly type = 'NO_ANSWER'

  constructor(ms: number) {
    super(`no answer within ${Math.round(ms)} ms`)
    this.name = 'LateError'
  }
}

/** Rejects with `LateError` when `work` takes longer; the work itself goes on, and how it ends is nobody's. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(ms)), Math.max(0, ms))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
