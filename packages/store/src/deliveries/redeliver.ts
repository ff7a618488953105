import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { FINISHED, SENT_AGAIN } from './delivery-state.ts'
import { DELIVERY_COLUMNS, toDeliveryRow, type DeliveryColumns, type DeliveryRow } from './delivery-row.ts'

/**
 * Sets a finished delivery back to `pending`, due now under a new attempt number, with all attempts of the schedule before
 * it. Undefined when it is not finished, not there, or its webhook is deleted. By primary key.
 */
export async function redeliver(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<DeliveryRow | undefined> {
  const { rows } = await db.query<DeliveryColumns>(
    `UPDATE deliveries d SET ${SENT_AGAIN}, replay_id = NULL
      WHERE d.id = $1 AND d.tenant_id = $2 AND ${FINISHED}
        AND EXISTS (SELECT FROM webhooks w WHERE w.id = d.webhook_id AND w.deleted_at IS NULL)
     RETURNING ${DELIVERY_COLUMNS}`,
    [typeIdToUuid('dlv', o.id), o.tenant],
  )
  return rows[0] === undefined ? undefined : toDeliveryRow(rows[0])
}
