import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { DELIVERY_COLUMNS, toDeliveryRow, type DeliveryColumns, type DeliveryRow } from './delivery-row.ts'

/** One delivery of a tenant, or undefined. `id` is a valid `dlv_…`. By primary key, in one partition. */
export async function getDelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<DeliveryRow | undefined> {
  const { rows } = await db.query<DeliveryColumns>(
    `SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.id = $1 AND d.tenant_id = $2`,
    [typeIdToUuid('dlv', o.id), o.tenant],
  )
  return rows[0] === undefined ? undefined : toDeliveryRow(rows[0])
}
