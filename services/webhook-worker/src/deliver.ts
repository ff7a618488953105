import type { Egress, EgressOutcome } from '@ariftly/egress'
import type { Keyring } from '@ariftly/keyring'
import { messageOf, type Logger } from '@ariftly/runtime'
import type { AttemptOutcome, AttemptRef, StartedAttempt } from '@ariftly/store'
import type { Batcher } from './batcher.ts'
import { planRetry, readRetryAfter } from './retry-plan.ts'
import { buildRequest } from './webhook-request.ts'

/** What making an attempt needs. */
export interface DeliverOptions {
  readonly starts: Batcher<AttemptRef, StartedAttempt | undefined>
  readonly outcomes: Batcher<AttemptOutcome, void>
  readonly egress: Pick<Egress, 'send'>
  readonly keyring: Keyring
  readonly scheduleS: readonly number[]
  readonly timeoutMs: number
  /** True once this process ends: what is cut then is no failure of the subscriber. */
  readonly stopping: () => boolean
  /** Told of an answer 410. */
  readonly onGone: (webhookId: string) => void
  readonly observe: (result: AttemptOutcome['type'] | 'stale', errorClass: string | null, totalMs: number) => void
  readonly log: Pick<Logger, 'debug' | 'error'>
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
    if (record?.status === 410) o.onGone(attempt.webhookId)
    o.log.debug(
      { delivery: ref.deliveryId, attempt: ref.attempt, result: outcome.type, status: record?.status },
      'attempt made',
    )
  }

  async function makeAttempt(attempt: StartedAttempt): Promise<AttemptOutcome> {
    const { deliveryId, attempt: n, tenant, webhookId, event } = attempt
    const base = { deliveryId, attempt: n, tenant, webhookId }
    if (attempt.deleted || event === null) return { ...base, type: 'cancelled' }
    if (!attempt.enabled || o.stopping()) return { ...base, type: 'released' }
    const startedAtMs = now()
    const sent = await send({ ...attempt, event }, startedAtMs)
    if (o.stopping() && sent.errorClass !== null && sent.status === null) return { ...base, type: 'released' }
    const record = {
      startedAtMs,
      ...sent.timing,
      address: sent.address,
      status: sent.status,
      errorClass: sent.errorClass,
      errorDetail: sent.errorDetail?.replaceAll('\0', '') ?? null,
      responseHeaders: sent.responseHeaders === null ? null : JSON.stringify(sent.responseHeaders),
      responseBody: sent.responseBody,
    }
    if (sent.errorClass === null) return { ...base, type: 'delivered', probe: attempt.probe, record }
    const retryAfterMs = readRetryAfter(sent.responseHeaders?.['retry-after'], now())
    const plan = planRetry({ attemptCount: attempt.attemptCount, scheduleS: o.scheduleS, retryAfterMs, random })
    return { ...base, type: 'failed', probe: attempt.probe, record, ...plan }
  }

  async function send(attempt: Parameters<typeof buildRequest>[0], nowMs: number): Promise<EgressOutcome> {
    try {
      return await o.egress.send(buildRequest(attempt, { keyring: o.keyring, nowMs, timeoutMs: o.timeoutMs }))
    } catch (error) {
      // Only building can throw: a key is missing here, and the attempts of a schedule give time to bring it back.
      o.log.error({ err: error, webhook: attempt.webhookId }, 'a webhook cannot be signed')
      return unsent(messageOf(error))
    }
  }
}

function unsent(errorDetail: string): EgressOutcome {
  const timing = { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: 0 }
  return {
    errorClass: 'blocked',
    errorDetail,
    status: null,
    address: null,
    timing,
    responseHeaders: null,
    responseBody: null,
  }
}
