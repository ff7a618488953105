import type { AttemptRow, ListedAttempt } from './list-attempts.ts'
import type { DeliveryRow } from '@ariftly/store/deliveries'
import { timeOf } from '../time-of.ts'

/** The delivery object, as lists show it. */
export function renderDelivery(row: DeliveryRow): Record<string, unknown> {
  return {
    object: 'delivery',
    id: row.id,
    webhook_id: row.webhookId,
    event_id: row.eventId,
    event_type: row.eventType,
    task_id: row.taskId,
    status: row.status,
    attempt_count: row.attemptCount,
    last_attempt_at: timeOf(row.lastAttemptAtMs),
    last_response_status: row.lastResponseStatus,
    last_error_class: row.lastErrorClass,
    next_attempt_at: timeOf(row.nextAttemptAtMs),
    created_at: timeOf(row.createdAtMs),
    finished_at: timeOf(row.finishedAtMs),
  }
}

/** Most attempts of one delivery with `include=attempts`. */
export const LISTED_ATTEMPTS_MAX = 20

/** A delivery with its newest attempts, newest first, of which one more than {@link LISTED_ATTEMPTS_MAX} was asked for. */
export function renderWithAttempts(row: DeliveryRow, attempts: readonly ListedAttempt[]): Record<string, unknown> {
  return {
    ...renderDelivery(row),
    attempts: attempts.slice(0, LISTED_ATTEMPTS_MAX).map(renderListedAttempt),
    ...(attempts.length > LISTED_ATTEMPTS_MAX ? { attempts_truncated: true } : {}),
  }
}

/** A single delivery, with its attempts, oldest first. */
export function renderSingleDelivery(row: DeliveryRow, attempts: readonly AttemptRow[]): Record<string, unknown> {
  return { ...renderDelivery(row), attempts: attempts.map(renderAttempt) }
}

/** An attempt of a single delivery. The answer's body is shown as text; bytes that are not UTF-8 are replaced. */
export function renderAttempt(row: AttemptRow): Record<string, unknown> {
  return {
    ...renderListedAttempt(row),
    response_headers: row.responseHeaders === null ? null : (JSON.parse(row.responseHeaders) as unknown),
    response_body: row.responseBody?.toString('utf8') ?? null,
  }
}

/**
 * An attempt without the answer to it. Of a host without an address that may be reached the reason, the address and the time of the
 * look-up are not shown: callers must not be able to map the network that the sender runs in.
 */
function renderListedAttempt(row: ListedAttempt): Record<string, unknown> {
  const hidden = row.errorClass === 'dns_error' || (row.errorClass === 'blocked' && row.address !== null)
  return {
    attempt: row.attempt,
    probe: row.probe,
    started_at: timeOf(row.startedAtMs),
    dns_ms: hidden ? null : wholeMs(row.dnsMs),
    connect_ms: wholeMs(row.connectMs),
    tls_ms: wholeMs(row.tlsMs),
    first_byte_ms: wholeMs(row.firstByteMs),
    total_ms: wholeMs(row.totalMs),
    address: hidden ? null : row.address,
    status: row.status,
    error: row.errorClass,
    error_detail: hidden ? 'the host has no address that may be reached' : row.errorDetail,
    next_attempt_at: timeOf(row.nextAttemptAtMs),
  }
}

function wholeMs(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms)
}
