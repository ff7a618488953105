import type { AttemptRecord } from '@ariftly/webhook-sending'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'

/** The step of a delivery after an attempt. */
export interface NextStep {
  /** `pending`: there is a next attempt, after `dueInMs`. All others are final. */
  readonly state: 'pending' | 'delivered' | 'failed' | 'cancelled'
  /** Whether the attempt counts towards the retry schedule. */
  readonly counts: boolean
}

/**
 * What becomes of a delivery, decided for both states that its endpoint can be in. Which one it is in is known only under the
 * lock of the endpoint's row, as outcomes recorded at the same time count too.
 */
export interface NextSteps {
  readonly whileOpen: NextStep
  readonly whileFailing: NextStep
  /** Until the next attempt, if there is one. */
  readonly dueInMs: number
}

/** How an attempt ended. */
export type AttemptOutcome = AttemptRef & {
  readonly tenant: string
  readonly webhookId: string
  /** `endpoint_version` of the webhook when the attempt started. */
  readonly endpointVersion: number
  /** Whether the delivery goes out for the first time: neither a replay nor a redelivery has made it pending. */
  readonly first: boolean
  readonly next: NextSteps
} & (
    | { readonly type: 'delivered' | 'failed'; readonly probe: boolean; readonly record: AttemptRecord }
    /** `released`: nothing was sent, or this process cut what was sent. `cancelled`: there is nothing to send any more. */
    | { readonly type: 'released' | 'cancelled' }
  )

/** A batch of outcomes added up for one endpoint, in the order in which they ended: a row of `tally` in `recordOutcomes`. */
export interface EndpointTally {
  readonly webhookId: string
  /** The version that was tried; a webhook that changed within the batch has a tally for each. */
  readonly endpoint_version: number
  /** Whether any attempt succeeded. */
  readonly succeeded: boolean
  /** Failures after the last success (all of them if there was none). */
  readonly failures: number
  /** Whether a probe failed. */
  readonly probe_failed: boolean
  readonly last_attempt_ms: number
}

/** Adds outcomes up by endpoint and version. Outcomes that say nothing about the endpoint do not count. */
export function tallyEndpoints(outcomes: readonly AttemptOutcome[]): readonly EndpointTally[] {
  const tallies = new Map<string, EndpointTally>()
  for (const outcome of outcomes) {
    if (outcome.type !== 'delivered' && outcome.type !== 'failed') continue
    const { webhookId, endpointVersion, record } = outcome
    const key = `${webhookId} ${endpointVersion}`
    const before = tallies.get(key)
    const failed = outcome.type === 'failed'
    tallies.set(key, {
      webhookId,
      endpoint_version: endpointVersion,
      succeeded: !failed || (before?.succeeded ?? false),
      failures: failed ? (before?.failures ?? 0) + 1 : 0,
      probe_failed: failed && (outcome.probe || (before?.probe_failed ?? false)),
      last_attempt_ms: Math.round(record.totalMs),
    })
  }
  return [...tallies.values()]
}
