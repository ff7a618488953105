import type { AttemptOutcome } from '@ariftly/store/deliveries'

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
