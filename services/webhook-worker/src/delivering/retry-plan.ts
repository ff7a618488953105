import type { NextStep, NextSteps } from '@ariftly/store/deliveries'

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

/** How an attempt ended, as far as its delivery's next step depends on it. */
export type Ended =
  | { readonly type: 'delivered' | 'released' | 'cancelled' }
  | {
      readonly type: 'failed'
      readonly probe: boolean
      /** Attempts before this one that count towards the schedule. */
      readonly attemptCount: number
      readonly retryAfterMs: number | undefined
    }

/**
 * Decides what becomes of a delivery after an attempt: the only place that does. `recordOutcomes` carries it out, and takes the
 * step that fits the endpoint's state.
 *
 * - A success ends it; a released attempt is due again at once and does not count.
 * - A failure is retried by the schedule: ±20 % of jitter (`random` gives [0, 1)), and a `Retry-After` only makes the wait longer.
 * - The failure that ends the schedule fails the delivery, but not while its endpoint is failing: then it does not count, and
 *   is retried after the longest wait.
 * - A failed probe counts towards no schedule and never fails a delivery.
 */
export function decideNext(
  ended: Ended,
  o: { readonly scheduleS: readonly number[]; readonly random: () => number },
): NextSteps {
  switch (ended.type) {
    case 'delivered':
      return always({ state: 'delivered', counts: true })
    case 'cancelled':
      return always({ state: 'cancelled', counts: false })
    case 'released':
      return always({ state: 'pending', counts: false })
    case 'failed': {
      const { probe, attemptCount } = ended
      const last = attemptCount >= o.scheduleS.length
      return {
        whileOpen: !last || probe ? { state: 'pending', counts: !probe } : { state: 'failed', counts: true },
        whileFailing: { state: 'pending', counts: !probe && !last },
        dueInMs: waitMs(ended, o),
      }
    }
  }
}

function always(step: NextStep): NextSteps {
  return { whileOpen: step, whileFailing: step, dueInMs: 0 }
}

/** Until the next attempt. Behind the end of the schedule it is the last wait. */
function waitMs(
  { attemptCount, retryAfterMs = 0 }: Extract<Ended, { type: 'failed' }>,
  o: { readonly scheduleS: readonly number[]; readonly random: () => number },
): number {
  const waitS = o.scheduleS[attemptCount] ?? o.scheduleS.at(-1) ?? 0
  const jittered = waitS * 1000 * (1 - JITTER + 2 * JITTER * o.random())
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX)))
}

/** Reads `Retry-After` (RFC 9110, 10.2.3): seconds or an HTTP date. Undefined if it is absent, unreadable or past. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return at > nowMs ? at - nowMs : undefined
}
