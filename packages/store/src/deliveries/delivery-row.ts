import type { EventType } from '@ariftly/events'
import { defineRow, plain, time, timeOrNull, typeId, type RowOf } from '../define-row.ts'
import type { DeliveryState } from './delivery-state.ts'

/** What a delivery shows: waiting, queued and under way are all `pending`. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'cancelled'

/** The states that show as a status, as conditions on `deliveries d` that partial indexes fit. */
export const STATUS_CONDITIONS: Readonly<Record<DeliveryStatus, string>> = {
  pending: `d.state IN ('pending', 'queued')`,
  delivered: `d.state = 'delivered'`,
  failed: `d.state = 'failed'`,
  cancelled: `d.state = 'cancelled'`,
}

/**
 * The unfinished deliveries `d` of a webhook, from `FROM` on. A range is no `=`: for that the planner believes the statistics, and if these
 * know one webhook it reads the table, or the primary key in its order.
 */
export function unfinishedOf(webhookId: string): string {
  return `FROM deliveries d WHERE d.webhook_id >= ${webhookId} AND d.webhook_id <= ${webhookId} AND ${STATUS_CONDITIONS.pending}`
}

/** The oldest event's delivery of these: only `deliveries_unfinished` has this order. */
export const OLDEST_UNFINISHED = 'ORDER BY d.webhook_id, d.id LIMIT 1'

/** The task of a delivery's event, of `deliveries d`: only an event of a session may have another ordering key, its session. */
export const TASK_ID = `CASE WHEN d.event_type LIKE 'session.%'
    THEN (SELECT e.task_id FROM events e WHERE e.tenant_id = d.tenant_id AND e.id = d.event_id LIMIT 1)
    ELSE d.ordering_key END`

const status = plain<DeliveryStatus>({ name: 'state' })

/** A delivery of `deliveries d`. */
export const deliveryRow = defineRow('d', {
  /** TypeID `dlv_…`. */
  id: typeId('dlv'),
  webhookId: typeId('whk'),
  eventId: typeId('evt'),
  eventType: plain<EventType>(),
  status: { ...status, read: (stored: unknown) => statusOf(stored as DeliveryState) },
  /** The task of the event; null for events of a session alone. */
  taskId: plain<string | null>({ sql: TASK_ID }),
  /** Attempts that counted, those before a redelivery too. */
  attemptCount: plain<number>({ sql: 'd.earlier_attempts + d.attempt_count' }),
  /** When the newest attempt started; null before the first. */
  lastAttemptAtMs: timeOrNull(),
  lastResponseStatus: plain<number | null>(),
  /** Null before the first attempt and after a success. */
  lastErrorClass: plain<string | null>(),
  /** When the next attempt is due; null when none is planned or one is under way. */
  nextAttemptAtMs: timeOrNull({ name: 'due_at' }),
  createdAtMs: time(),
  finishedAtMs: timeOrNull(),
})

/** A delivery as the API shows it. */
export type DeliveryRow = RowOf<typeof deliveryRow>

function statusOf(state: DeliveryState): DeliveryStatus {
  return state === 'queued' ? 'pending' : state
}
