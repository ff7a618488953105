import { setTimeout as wait } from 'node:timers/promises'

/** How the pauses between attempts grow. */
export interface BackoffOptions {
  /** First pause, milliseconds; default 100. */
  readonly baseMs?: number
  /** Longest pause, milliseconds; default 5,000. */
  readonly maxMs?: number
  /** Numbers from 0 to 1; default `Math.random`. */
  readonly random?: () => number
}

/** Back-off after failure `attempt` (0 is the first), integer ms: base × 2^attempt up to the maximum, of which half is random. */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { baseMs = 100, maxMs = 5000, random = Math.random } = options
  const ms = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
  return Math.round(ms / 2 + (ms / 2) * random())
}

/** Waits; an abort ends the wait early, as a normal end. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
}

/** Options of {@link retryForever}. */
export interface RetryOptions extends BackoffOptions {
  /** Ends the trying; the result is then `undefined`. */
  readonly signal: AbortSignal
  /** Called with each failure before the pause. It throws to stop the retries. */
  readonly onError?: (error: unknown, attempt: number, pauseMs: number) => void
}

/** Calls `attempt` until it succeeds or the signal is aborted (then the result is `undefined`), with growing pauses. */
export async function retryForever<T>(
  attempt: (n: number) => Promise<T>,
  options: RetryOptions,
): Promise<T | undefined> {
  for (let n = 0; !options.signal.aborted; n += 1) {
    try {
      return await attempt(n)
    } catch (error) {
      if (options.signal.aborted) return undefined
      const pauseMs = backoffMs(n, options)
      options.onError?.(error, n, pauseMs)
      await sleep(pauseMs, options.signal)
    }
  }
  return undefined
}
