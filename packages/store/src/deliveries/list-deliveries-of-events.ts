import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { DELIVERY_COLUMNS, toDeliveryRow, type DeliveryColumns, type DeliveryRow } from './delivery-row.ts'

/** Whose deliveries are read. */
export interface DeliveriesOfEventsOptions {
  readonly tenant: string
  /** Stored events; `id` is a valid `evt_…`. */
  readonly events: readonly { readonly id: string; readonly appendedAtMs: number }[]
  /** Most deliveries of one event that are read. */
  readonly limit: number
}

/**
 * The deliveries of some events by event id, each list by delivery id descending. The millisecond of a delivery's id is the event's
 * `appended_at`, so each event is one short range of ids in one partition.
 */
export async function listDeliveriesOfEvents(
  db: Queryable,
  o: DeliveriesOfEventsOptions,
): Promise<ReadonlyMap<string, readonly DeliveryRow[]>> {
  const { rows } = await db.query<DeliveryColumns>({
    name: 'list-deliveries-of-events',
    text: `SELECT ${DELIVERY_COLUMNS}
        FROM unnest($2::uuid[], $3::bigint[]) AS event (id, ms)
        CROSS JOIN LATERAL (
          SELECT * FROM deliveries
           WHERE id >= uuid_v7_floor(event.ms) AND id < uuid_v7_floor(event.ms + 1)
             AND tenant_id = $1 AND event_id = event.id
           ORDER BY id DESC LIMIT $4) AS d
       ORDER BY d.id DESC`,
    values: [
      o.tenant,
      o.events.map(({ id }) => typeIdToUuid('evt', id)),
      o.events.map(({ appendedAtMs }) => appendedAtMs),
      o.limit,
    ],
  })
  const byEvent = new Map<string, DeliveryRow[]>()
  for (const delivery of rows.map(toDeliveryRow)) {
    const known = byEvent.get(delivery.eventId)
    if (known === undefined) byEvent.set(delivery.eventId, [delivery])
    else known.push(delivery)
  }
  return byEvent
}
