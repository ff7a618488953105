import type { NextStep, NextSteps } from './attempt-outcome.ts'
import type { RetryPlan } from '@ariftly/webhook-sending'

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
 * - A failure is retried by the plan (`random` gives [0, 1)), and a `Retry-After` only makes the wait longer.
 * - The failure that ends the schedule fails the delivery, but not while its endpoint is failing: then it does not count, and
 *   is retried after the longest wait.
 * - A failed probe counts towards no schedule and never fails a delivery.
 */
export function decideNext(ended: Ended, o: { readonly plan: RetryPlan; readonly random: () => number }): NextSteps {
  switch (ended.type) {
    case 'delivered':
      return always({ state: 'delivered', counts: true })
    case 'cancelled':
      return always({ state: 'cancelled', counts: false })
    case 'released':
      return always({ state: 'pending', counts: false })
    case 'failed': {
      const { probe, attemptCount } = ended
      const last = attemptCount >= o.plan.scheduleS.length
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
  { plan, random }: { readonly plan: RetryPlan; readonly random: () => number },
): number {
  const { scheduleS, jitter, retryAfterMsMax } = plan
  const waitS = scheduleS[attemptCount] ?? scheduleS.at(-1) ?? 0
  const jittered = waitS * 1000 * (1 - jitter + 2 * jitter * random())
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, retryAfterMsMax)))
}

/** Reads `Retry-After` (RFC 9110, 10.2.3): seconds or an HTTP date. Undefined if it is absent, unreadable or past. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return at > nowMs ? at - nowMs : undefined
}
