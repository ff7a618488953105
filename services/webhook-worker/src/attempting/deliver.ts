import type { Batcher } from '@ariftly/async'
import type { Egress } from '@ariftly/egress'
import type { Keyring } from '@ariftly/keyring'
import type { Logger, Tracing } from '@ariftly/runtime'
import type { AttemptOutcome, NextSteps } from '../settling/attempt-outcome.ts'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'
import type { StartedAttempt } from './start-attempts.ts'
import type { TriedEndpoint } from '../settling/record-outcomes.ts'
import {
  sendWebhook,
  type AttemptRecord,
  type AttemptTrace,
  type OutgoingWebhook,
  type WebhookFormat,
} from '@ariftly/webhook-sending'
import { decideNext, readRetryAfter, type Ended } from '../settling/retry-plan.ts'

/** Dependencies of making an attempt. */
export interface DeliverOptions {
  readonly starts: Pick<Batcher<AttemptRef, StartedAttempt | undefined>, 'add'>
  readonly outcomes: Pick<Batcher<AttemptOutcome, void>, 'add'>
  readonly egress: Pick<Egress, 'send'>
  readonly keyring: Pick<Keyring, 'open'>
  readonly format: WebhookFormat
  readonly timeoutMs: number
  /** True once this process ends: what is cut then is not the subscriber's failure. */
  readonly stopping: () => boolean
  /** Called with the version of an endpoint whose answer says that it wants no more. */
  readonly onGone: (endpoint: TriedEndpoint) => void
  readonly observe: (result: AttemptOutcome['type'] | 'stale', errorClass: string | null, totalMs: number) => void
  /** Called with why the host of an attempt has no address that may be reached. */
  readonly onUnreachable: (reason: string) => void
  readonly log: Pick<Logger, 'debug' | 'info' | 'error'>
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
  readonly now?: () => number
  readonly random?: () => number
}

/**
 * Makes the one place that acts on attempts: a guarded start (a stale job is dropped), one signed POST, and the outcome
 * written before the job ends. Rejects only when Postgres cannot be reached; the lease then brings the delivery back.
 */
export function createDeliver(o: DeliverOptions): (ref: AttemptRef) => Promise<void> {
  const { now = Date.now, random = Math.random } = o

  return async function deliver(ref) {
    const attempt = await o.starts.add(ref)
    if (attempt === undefined) {
      o.observe('stale', null, 0)
      return
    }
    const outcome = await makeAttempt(attempt)
    const record = 'record' in outcome ? outcome.record : undefined
    o.observe(outcome.type, record?.errorClass ?? null, record?.totalMs ?? 0)
    await o.outcomes.add(outcome)
    if (record !== undefined && o.format.isGone(record.status)) o.onGone(attempt)
    o.log.debug(
      { delivery: ref.deliveryId, attempt: ref.attempt, result: outcome.type, status: record?.status },
      'attempt made',
    )
  }

  function traceOf({ deliveryId, attemptCount }: StartedAttempt): AttemptTrace | undefined {
    if (o.tracing === undefined) return undefined
    const attributes = { 'ariftly.delivery.id': deliveryId, 'http.request.resend_count': attemptCount || undefined }
    return { tracing: o.tracing, attributes }
  }

  async function makeAttempt(attempt: StartedAttempt): Promise<AttemptOutcome> {
    if (attempt.deleted || !hasEvent(attempt)) return unmade(attempt, 'cancelled', next({ type: 'cancelled' }))
    if (!attempt.enabled || o.stopping()) return unmade(attempt, 'released', next({ type: 'released' }))
    const { format, egress, keyring, timeoutMs, log } = o
    const sending = { format, egress, keyring, timeoutMs, log, nowMs: now(), trace: traceOf(attempt) }
    const { record, retryAfter, unreachable } = await sendWebhook(attempt, sending)
    if (unreachable !== null) o.onUnreachable(unreachable)
    if (o.stopping() && record.errorClass !== null && record.status === null)
      return unmade(attempt, 'released', next({ type: 'released' }))
    if (record.errorClass === null) return made(attempt, 'delivered', record, next({ type: 'delivered' }))
    const { probe, attemptCount } = attempt
    const retryAfterMs = readRetryAfter(retryAfter, now())
    return made(attempt, 'failed', record, next({ type: 'failed', probe, attemptCount, retryAfterMs }))
  }

  function next(ended: Ended): NextSteps {
    return decideNext(ended, { plan: o.format.retries, random })
  }
}

function hasEvent(attempt: StartedAttempt): attempt is StartedAttempt & Pick<OutgoingWebhook, 'event'> {
  return attempt.event !== null
}

function unmade(attempt: StartedAttempt, type: 'released' | 'cancelled', next: NextSteps): AttemptOutcome {
  const { deliveryId, attempt: n, tenant, webhookId, endpointVersion, first } = attempt
  return { type, deliveryId, attempt: n, tenant, webhookId, endpointVersion, first, next }
}

/** Names each member: V8 (Node 20) takes 1 µs for every member that a literal adds to those of a spread object. */
function made(
  attempt: StartedAttempt,
  type: 'delivered' | 'failed',
  record: AttemptRecord,
  next: NextSteps,
): AttemptOutcome {
  const { deliveryId, attempt: n, tenant, webhookId, endpointVersion, first, probe } = attempt
  return { type, deliveryId, attempt: n, tenant, webhookId, endpointVersion, first, probe, record, next }
}
