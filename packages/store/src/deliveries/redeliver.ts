import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
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
    `UPDATE deliveries
        SET state = 'pending', attempt = attempt + 1, attempt_count = 0, probe = false, due_at = now(), finished_at = NULL,
            replay_id = NULL
      WHERE id = $1 AND tenant_id = $2 AND state NOT IN ('pending', 'queued', 'attempting')
        AND EXISTS (SELECT FROM webhooks w WHERE w.id = deliveries.webhook_id AND w.deleted_at IS NULL)
     RETURNING ${DELIVERY_COLUMNS}`,
    [typeIdToUuid('dlv', o.id), o.tenant],
  )
  return rows[0] === undefined ? undefined : toDeliveryRow(rows[0])
}
