import { typeIdToUuid } from '@ariftly/events'
import { groupBy, prepared, type PreparedQuery, type Queryable } from '@ariftly/store'
import { deliveryRow, type DeliveryRow } from '@ariftly/store/deliveries'

/** Whose deliveries are read. */
interface DeliveriesOfEventsOptions {
  readonly tenant: string
  /** Stored events; `id` is a valid `evt_…`. */
  readonly events: readonly { readonly id: string; readonly appendedAtMs: number }[]
  /** Most deliveries of one event that are read. */
  readonly limit: number
}

/**
 * The deliveries of some events by event id, each list by delivery id descending. By `deliveries_event`, all rows of each event, which are as
 * many as webhooks wanted it; the millisecond of their ids is the event's `appended_at`. For connections with `LIST_SETTINGS`.
 */
export async function listDeliveriesOfEvents(
  db: Queryable,
  o: DeliveriesOfEventsOptions,
): Promise<ReadonlyMap<string, readonly DeliveryRow[]>> {
  const { rows } = await db.query(deliveriesOfEventsQuery(o))
  return groupBy(rows.map(deliveryRow.read), ({ eventId }) => eventId)
}

/**
 * The statement. Rows are found by their event before any other condition is checked: a millisecond can hold all events of a batch, with the deliveries of
 * each, and the primary key would fit the order.
 */
export function deliveriesOfEventsQuery(o: DeliveriesOfEventsOptions): PreparedQuery {
  return prepared(
    `SELECT ${deliveryRow.columns}
       FROM unnest($2::uuid[], $3::bigint[]) AS event (id, ms)
      CROSS JOIN LATERAL (
              SELECT * FROM (SELECT * FROM deliveries WHERE event_id = event.id OFFSET 0) AS of_event
               WHERE of_event.id >= uuid_v7_floor(event.ms) AND of_event.id < uuid_v7_floor(event.ms + 1) AND tenant_id = $1
               ORDER BY of_event.id DESC LIMIT $4) AS d
      ORDER BY d.id DESC`,
    [
      o.tenant,
      o.events.map(({ id }) => typeIdToUuid('evt', id)),
      o.events.map(({ appendedAtMs }) => appendedAtMs),
      o.limit,
    ],
  )
}
