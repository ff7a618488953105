import { typeIdToUuid, type EventType } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import {
  DELIVERY_COLUMNS,
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

/** The states that show as a status, as a condition of their own so that partial indexes fit. */
const STATES: Readonly<Record<DeliveryStatus, string>> = {
  pending: `state IN ('pending', 'queued', 'attempting')`,
  delivered: `state = 'delivered'`,
  failed: `state = 'failed'`,
  cancelled: `state = 'cancelled'`,
}

/** A page of a webhook's deliveries, newest event first. A range of `deliveries_webhook` (`deliveries_failed` for those). */
export async function listDeliveries(
  db: Queryable,
  o: ListDeliveriesOptions,
): Promise<{ readonly deliveries: readonly DeliveryRow[]; readonly hasMore: boolean }> {
  const { low, high } = idBounds('dlv', { ...o, order: 'desc' })
  const values: unknown[] = [typeIdToUuid('whk', o.webhookId), o.tenant, low, high, o.limit + 1]
  const conditions = ['webhook_id = $1', 'tenant_id = $2', 'id >= $3', 'id < $4']
  if (o.status !== undefined) conditions.push(STATES[o.status])
  if (o.types !== undefined) conditions.push(`event_type = ANY ($${values.push(o.types)}::text[])`)
  const { rows } = await db.query<DeliveryColumns>(
    `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT $5`,
    values,
  )
  return { deliveries: rows.slice(0, o.limit).map(toDeliveryRow), hasMore: rows.length > o.limit }
}
