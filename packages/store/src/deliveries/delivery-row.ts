import { uuidToTypeId, type EventType } from '@ariftly/events'
import type { AttemptRecord } from './attempt-outcome.ts'

/** What a delivery shows: waiting, queued and attempting are all `pending`. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'cancelled'

/** The states that show as a status, as conditions on `deliveries d` that partial indexes fit. */
export const STATUS_CONDITIONS: Readonly<Record<DeliveryStatus, string>> = {
  pending: `d.state IN ('pending', 'queued', 'attempting')`,
  delivered: `d.state = 'delivered'`,
  failed: `d.state = 'failed'`,
  cancelled: `d.state = 'cancelled'`,
}

/** A delivery as the API shows it. */
export interface DeliveryRow {
  /** TypeID `dlv_…`. */
  readonly id: string
  readonly webhookId: string
  readonly eventId: string
  readonly eventType: EventType
  readonly status: DeliveryStatus
  /** The task of the event; null for events of a session alone. */
  readonly taskId: string | null
  /** Attempts that counted, those before a redelivery too. */
  readonly attemptCount: number
  /** Of the newest attempt; null before the first. */
  readonly lastAttemptAtMs: number | null
  readonly lastResponseStatus: number | null
  /** Null before the first attempt and after a success. */
  readonly lastErrorClass: string | null
  /** When the next attempt is due; null when none is planned or one is under way. */
  readonly nextAttemptAtMs: number | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
}

/** One attempt of a delivery, as it is kept. */
export interface AttemptRow extends AttemptRecord {
  readonly attempt: number
  /** A probe of a failing endpoint counts towards no schedule. */
  readonly probe: boolean
  readonly nextAttemptAtMs: number | null
}

/** An attempt without the answer to it. */
export type ListedAttempt = Omit<AttemptRow, 'responseHeaders' | 'responseBody'>

function newest(column: string, ofAttempt: string): string {
  return `CASE WHEN d.last_attempt_at IS NULL AND d.attempt_count > 0
    THEN (SELECT a.${ofAttempt} FROM attempts a WHERE a.delivery_id = d.id ORDER BY a.attempt DESC LIMIT 1)
    ELSE d.${column} END`
}

/** The task of a delivery's event, of `deliveries d`: only an event of a session may have another ordering key, its session. */
export const TASK_ID = `CASE WHEN d.event_type LIKE 'session.%'
    THEN (SELECT e.task_id FROM events e WHERE e.tenant_id = d.tenant_id AND e.id = d.event_id LIMIT 1)
    ELSE d.ordering_key END`

/** The error class of the newest attempt, of `deliveries d`. */
export const LAST_ERROR_CLASS = newest('last_error_class', 'error_class')

/**
 * What `toDeliveryRow` reads, of `deliveries d`. Attempts that were made by code older than the columns of the newest attempt
 * are looked up.
 */
export const DELIVERY_COLUMNS = `d.id, d.webhook_id, d.event_id, d.event_type, d.state, d.due_at, d.created_at, d.finished_at,
  ${TASK_ID} AS task_id, d.earlier_attempts + d.attempt_count AS attempt_count,
  ${newest('last_attempt_at', 'started_at')} AS last_attempt_at,
  ${newest('last_response_status', 'status')} AS last_response_status, ${LAST_ERROR_CLASS} AS last_error_class`

/** A row of `DELIVERY_COLUMNS` as pg hands it over. */
export interface DeliveryColumns {
  readonly id: string
  readonly webhook_id: string
  readonly event_id: string
  readonly event_type: EventType
  readonly state: 'pending' | 'queued' | 'attempting' | 'delivered' | 'failed' | 'cancelled'
  readonly task_id: string | null
  readonly attempt_count: number
  readonly last_attempt_at: Date | null
  readonly last_response_status: number | null
  readonly last_error_class: string | null
  readonly due_at: Date | null
  readonly created_at: Date
  readonly finished_at: Date | null
}

/** Turns columns into the row that code works with. */
export function toDeliveryRow(columns: DeliveryColumns): DeliveryRow {
  const { state } = columns
  return {
    id: uuidToTypeId('dlv', columns.id),
    webhookId: uuidToTypeId('whk', columns.webhook_id),
    eventId: uuidToTypeId('evt', columns.event_id),
    eventType: columns.event_type,
    status: state === 'queued' || state === 'attempting' ? 'pending' : state,
    taskId: columns.task_id,
    attemptCount: columns.attempt_count,
    lastAttemptAtMs: columns.last_attempt_at?.getTime() ?? null,
    lastResponseStatus: columns.last_response_status,
    lastErrorClass: columns.last_error_class,
    nextAttemptAtMs: columns.due_at?.getTime() ?? null,
    createdAtMs: columns.created_at.getTime(),
    finishedAtMs: columns.finished_at?.getTime() ?? null,
  }
}
