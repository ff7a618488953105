import { setTimeout as delay } from 'node:timers/promises'

/**
 * How long tests and benchmarks wait for a condition, milliseconds. Except for `keyChange` they are patience for a machine that is busy with other
 * tests, and no promise of the product. A test of a promise has a bound of its own, with a name.
 */
export const DEADLINES = {
  /** What needs no server: a socket is closed, a callback is called. */
  local: 5_000,
  /** A change of a key or a tenant is in force in each process. */
  keyChange: 3_000,
  /** One step of the product, the default: an answer, a row, an event on a stream, a request to a receiver. */
  step: 60_000,
  /** A program has started that starts others. */
  programStart: 110_000,
  /** The product continues after a part that it depends on was killed. */
  recovery: 120_000,
  /** The product has done all the work of a benchmark's load. */
  load: 300_000,
} as const

/** How long and how often to check. */
export interface EventuallyOptions {
  /** Default `DEADLINES.step`. */
  readonly timeoutMs?: number
  /** Default 25 ms at first, and 100 ms when it has waited for a second or longer: checks take processor time from what they wait for. */
  readonly everyMs?: number
}

type Check<T> = () => T | Promise<T>

/**
 * Repeats `check` until it neither throws nor gives false, undefined or null, and resolves with what it gave.
 * @param what the condition in a few words, for the error: `30 deliveries`, `the reader runs`.
 * @throws an Error that names the condition and shows what `check` gave last, or has what it threw last as its cause, when the time is over.
 */
export async function eventually<T>(what: string, check: Check<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = DEADLINES.step, everyMs } = options
  const startMs = performance.now()
  for (;;) {
    const outcome = await attempt(check)
    if (outcome.type === 'value' && isMet(outcome.value)) return outcome.value
    const waitedMs = performance.now() - startMs
    if (waitedMs >= timeoutMs) throw missed(`Waited for: ${what}. After ${timeoutMs} ms the check still`, outcome)
    await delay(everyMs ?? Math.min(Math.max(25, waitedMs / 10), 100))
  }
}

type Attempt<T> = { readonly type: 'value'; readonly value: T } | { readonly type: 'error'; readonly error: unknown }

async function attempt<T>(check: Check<T>): Promise<Attempt<T>> {
  try {
    return { type: 'value', value: await check() }
  } catch (error) {
    return { type: 'error', error }
  }
}

function missed(text: string, outcome: Attempt<unknown>): Error {
  if (outcome.type === 'value') return new Error(`${text} gave ${String(outcome.value)}.`)
  const { error: cause } = outcome
  return new Error(`${text} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

function isMet(value: unknown): boolean {
  return value !== false && value !== undefined && value !== null
}
