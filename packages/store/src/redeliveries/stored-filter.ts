import type { EventType } from '@ariftly/events'
import type { DeliveryStatus } from '../deliveries/delivery-row.ts'
import type { DeliveryFilter } from '../deliveries/listing/delivery-shape.ts'

/** The filter of a redelivery with the members of the API; times are ISO 8601 in whole milliseconds. */
export interface StoredFilter {
  readonly webhook_id?: string
  readonly event_id?: string
  readonly task_id?: string
  readonly status: DeliveryStatus
  /** One type, or several separated by commas. */
  readonly type?: string
  readonly error_class?: string
  readonly after?: string
  readonly before?: string
}

/** The filter as deliveries are found by it. What was created after `createdAtMs`, the redelivery's start, is left out. */
export function toDeliveryFilter(
  stored: StoredFilter,
  createdAtMs: number,
): DeliveryFilter & { readonly status: DeliveryStatus } {
  const beforeMs = Math.min(stored.before === undefined ? Infinity : Date.parse(stored.before), createdAtMs + 1)
  return {
    status: stored.status,
    beforeMs,
    ...(stored.webhook_id === undefined ? {} : { webhookId: stored.webhook_id }),
    ...(stored.event_id === undefined ? {} : { eventId: stored.event_id }),
    ...(stored.task_id === undefined ? {} : { taskId: stored.task_id }),
    ...(stored.type === undefined ? {} : { types: stored.type.split(',') as EventType[] }),
    ...(stored.error_class === undefined ? {} : { errorClass: stored.error_class }),
    ...(stored.after === undefined ? {} : { afterMs: Date.parse(stored.after) }),
  }
}
