import { uuidToTypeId } from '@ariftly/events'
import { prepared, type Queryable } from '@ariftly/store'
import { createDeliveryShape, type DeliveryFilter, fitsAll } from '@ariftly/store/deliveries'

/** A delivery that was scanned. */
export interface ScannedDelivery {
  readonly id: string
  readonly webhookId: string
  /** Whether the whole filter fits. */
  readonly fits: boolean
}

/**
 * The next `limit` deliveries that the index of a filter reads, oldest first, each with whether the filter fits it. `nextId` is
 * the last one; undefined when none follows. For connections with `LIST_SETTINGS`; by the index that `findDeliveries` takes, but pending ones of a
 * webhook, which may have far more that are finished, by id in `deliveries_unfinished`.
 */
export async function scanDeliveries(
  db: Queryable,
  o: {
    readonly tenant: string
    readonly filter: DeliveryFilter
    readonly cursorId: string | undefined
    readonly limit: number
  },
): Promise<{ readonly deliveries: readonly ScannedDelivery[]; readonly nextId: string | undefined }> {
  const { webhookId, eventId, taskId, status } = o.filter
  const isOfWebhook = webhookId !== undefined && eventId === undefined && taskId === undefined
  const shape = createDeliveryShape({ ...o, order: isOfWebhook && status === 'pending' ? 'id' : 'asc' })
  const { rows } = await db.query<{ id: string; webhook_id: string; fits: boolean }>(
    prepared(
      `SELECT d.id, d.webhook_id, ${fitsAll(shape.checked)} AS fits FROM (${shape.scan(`$${shape.values.push(o.limit)}`)}) AS d`,
      shape.values,
    ),
  )
  const deliveries = rows.map((row) => ({
    id: uuidToTypeId('dlv', row.id),
    webhookId: uuidToTypeId('whk', row.webhook_id),
    fits: row.fits,
  }))
  return { deliveries, nextId: rows.length < o.limit ? undefined : deliveries.at(-1)?.id }
}
