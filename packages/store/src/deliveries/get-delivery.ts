import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { DELIVERY_COLUMNS, toDeliveryRow, type DeliveryColumns, type DeliveryRow } from './delivery-row.ts'

/** One delivery of a tenant's webhook, or undefined. Ids are valid `whk_…` and `dlv_…`. By primary key, in one partition. */
export async function getDelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly id: string },
): Promise<DeliveryRow | undefined> {
  const { rows } = await db.query<DeliveryColumns>(
    `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE id = $1 AND webhook_id = $2 AND tenant_id = $3`,
    [typeIdToUuid('dlv', o.id), typeIdToUuid('whk', o.webhookId), o.tenant],
  )
  return rows[0] === undefined ? undefined : toDeliveryRow(rows[0])
}
