import { setTimeout as delay } from 'node:timers/promises'

/** How long and how often to check. */
export interface EventuallyOptions {
  /** Default 60 s: patience for a machine that is busy with other tests. */
  readonly timeoutMs?: number
  /** Default 25 ms at first, and 100 ms when it has waited for a second or longer: checks take processor time from what they wait for. */
  readonly everyMs?: number
}

/**
 * Repeats `check` until it neither throws nor gives false, undefined or null, and resolves with what it gave.
 * @throws an Error that shows what `check` gave last, or has what it threw last as its cause, when the time is over.
 */
export async function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 60_000, everyMs } = options
  const start = performance.now()
  for (;;) {
    const outcome = await attempt(check)
    if (outcome.type === 'value' && isMet(outcome.value)) return outcome.value
    const waitedMs = performance.now() - start
    if (waitedMs >= timeoutMs) {
      if (outcome.type === 'error') throw stillFailed(timeoutMs, outcome.error)
      throw new Error(`After ${timeoutMs} ms the check still gave ${String(outcome.value)}.`)
    }
    await delay(everyMs ?? Math.min(Math.max(25, waitedMs / 10), 100))
  }
}

type Attempt<T> = { readonly type: 'value'; readonly value: T } | { readonly type: 'error'; readonly error: unknown }

async function attempt<T>(check: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { type: 'value', value: await check() }
  } catch (error) {
    return { type: 'error', error }
  }
}

function stillFailed(timeoutMs: number, cause: unknown): Error {
  return new Error(
    `After ${timeoutMs} ms the check still failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  )
}

function isMet(value: unknown): boolean {
  return value !== false && value !== undefined && value !== null
}
