import type { AttemptOutcome } from './attempt-outcome.ts'

const STEP = { state: 'pending', counts: true } as const

/** Bytes of the answer to an attempt of {@link outcomeOf}. */
export const BODY_BYTES = 16 * 1024

/** The outcome of an attempt whose answer has a body of 16 KiB. */
export function outcomeOf(
  type: 'failed' | 'delivered',
  of: { readonly tenant?: string; readonly webhookId?: string; readonly deliveryId?: string } = {},
): AttemptOutcome {
  const { tenant = 'mine', webhookId = 'whk_1', deliveryId = 'dlv_1' } = of
  const times = { startedAtMs: 0, dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: 1, totalMs: 1 }
  const result = type === 'failed' ? { status: 500, errorClass: 'http_5xx' } : { status: 200, errorClass: null }
  const answer = { responseHeaders: null, responseBody: Buffer.alloc(BODY_BYTES) }
  const record = { ...times, ...answer, ...result, address: null, errorDetail: null }
  const base = { deliveryId, tenant, webhookId, attempt: 1, endpointVersion: 1, first: true, probe: false }
  return { ...base, type, record, next: { whileOpen: STEP, whileFailing: STEP, dueInMs: 0 } }
}

/** When an endpoint counts as failing, in tests. */
export const FAILING = { after: 10, probeMs: 60_000, probeMsMax: 300_000, disableMs: 432_000_000 }

/** The outcome of an attempt that has succeeded. */
export function deliveredOutcome(
  ids: Pick<AttemptOutcome, 'deliveryId' | 'attempt' | 'tenant' | 'webhookId'>,
): AttemptOutcome {
  const step = { state: 'delivered', counts: true } as const
  const times = { startedAtMs: Date.now(), dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: 3, totalMs: 4 }
  const answer = {
    address: '127.0.0.1',
    responseHeaders: null,
    responseBody: null,
    errorClass: null,
    errorDetail: null,
  }
  return {
    ...ids,
    endpointVersion: 1,
    first: true,
    probe: false,
    type: 'delivered',
    next: { whileOpen: step, whileFailing: step, dueInMs: 0 },
    record: { ...times, ...answer, status: 200 },
  }
}
