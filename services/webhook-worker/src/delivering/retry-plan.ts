/**
 * Waits between the attempts of a delivery, in seconds; attempt n + 1 follows after the n-th of them. Cumulative: 5 s, 35 s,
 * 2 min 35 s, 12 min 35 s, 42 min 35 s, 1 h 43 min, 4 h 43 min, 10 h 43 min, 22 h 43 min, 1 d 23 h, 2 d 23 h, 3 d 23 h: 13
 * attempts in four days.
 */
export const RETRY_SCHEDULE_S: readonly number[] = [
  5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 86_400, 86_400,
]

/** `Retry-After` is obeyed up to this. */
const RETRY_AFTER_MS_MAX = 86_400_000
const JITTER = 0.2

/** When the next attempt comes, and whether the one that failed was the last of the schedule. */
export interface RetryPlan {
  readonly retryInMs: number
  readonly last: boolean
}

/**
 * Plans the attempt after a failed one. `attemptCount` counts the attempts before it; `random` gives [0, 1) for ±20 % of
 * jitter; a `Retry-After` only ever makes the wait longer. After the last, `retryInMs` is the schedule's longest wait, for
 * deliveries that are kept because their endpoint is failing.
 */
export function planRetry(o: {
  readonly attemptCount: number
  readonly scheduleS: readonly number[]
  readonly retryAfterMs: number | undefined
  readonly random: () => number
}): RetryPlan {
  const waitS = o.scheduleS[o.attemptCount] ?? o.scheduleS.at(-1) ?? 0
  const jittered = waitS * 1000 * (1 - JITTER + 2 * JITTER * o.random())
  const asked = Math.min(o.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX)
  return { retryInMs: Math.round(Math.max(jittered, asked)), last: o.attemptCount >= o.scheduleS.length }
}

/** Reads `Retry-After` (RFC 9110, 10.2.3): seconds or an HTTP date. Undefined if it is absent, unreadable or past. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return at > nowMs ? at - nowMs : undefined
}
