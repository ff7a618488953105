import { typeIdToUuid, type EventType } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import {
  DELIVERY_COLUMNS,
  STATUS_CONDITIONS,
  toDeliveryRow,
  type DeliveryColumns,
  type DeliveryRow,
  type DeliveryStatus,
} from './delivery-row.ts'

export interface ListDeliveriesOptions {
  readonly tenant: string
  readonly webhookId: string
  readonly status?: DeliveryStatus
  readonly types?: readonly EventType[]
  /** Exclusive bounds of the time at which the event was appended to the log, which is the time inside a delivery's id. */
  readonly afterMs?: number
  readonly beforeMs?: number
  readonly cursorId?: string
  readonly limit: number
}

/** A page of a webhook's deliveries, newest event first. A range of `deliveries_webhook` (`deliveries_failed` for those). */
export async function listDeliveries(
  db: Queryable,
  o: ListDeliveriesOptions,
): Promise<{ readonly deliveries: readonly DeliveryRow[]; readonly hasMore: boolean }> {
  const { low, high } = idBounds('dlv', { ...o, order: 'desc' })
  const values: unknown[] = [typeIdToUuid('whk', o.webhookId), o.tenant, low, high, o.limit + 1]
  const conditions = ['d.webhook_id = $1', 'd.tenant_id = $2', 'd.id >= $3', 'd.id < $4']
  if (o.status !== undefined) conditions.push(STATUS_CONDITIONS[o.status])
  if (o.types !== undefined) conditions.push(`d.event_type = ANY ($${values.push(o.types)}::text[])`)
  const { rows } = await db.query<DeliveryColumns>(
    `SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE ${conditions.join(' AND ')} ORDER BY d.id DESC LIMIT $5`,
    values,
  )
  return { deliveries: rows.slice(0, o.limit).map(toDeliveryRow), hasMore: rows.length > o.limit }
}
