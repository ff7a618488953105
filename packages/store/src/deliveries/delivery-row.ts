import { uuidToTypeId, type EventType } from '@ariftly/events'
import type { AttemptRecord } from './attempt-outcome.ts'

/** What a delivery shows: waiting, queued and attempting are all `pending`. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'cancelled'

/** A delivery as the API shows it. */
export interface DeliveryRow {
  /** TypeID `dlv_…`. */
  readonly id: string
  readonly webhookId: string
  readonly eventId: string
  readonly eventType: EventType
  readonly status: DeliveryStatus
  readonly attemptCount: number
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

/** The columns that `toDeliveryRow` reads. */
export const DELIVERY_COLUMNS =
  'id, webhook_id, event_id, event_type, state, attempt_count, due_at, created_at, finished_at'

/** A row of `DELIVERY_COLUMNS` as pg hands it over. */
export interface DeliveryColumns {
  readonly id: string
  readonly webhook_id: string
  readonly event_id: string
  readonly event_type: EventType
  readonly state: 'pending' | 'queued' | 'attempting' | 'delivered' | 'failed' | 'cancelled'
  readonly attempt_count: number
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
    attemptCount: columns.attempt_count,
    nextAttemptAtMs: columns.due_at?.getTime() ?? null,
    createdAtMs: columns.created_at.getTime(),
    finishedAtMs: columns.finished_at?.getTime() ?? null,
  }
}
