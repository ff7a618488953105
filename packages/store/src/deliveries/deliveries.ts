import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { deliveryRow, type DeliveryRow } from './delivery-row.ts'
import { FINISHED, isNotStarted, isStill, SENT_AGAIN } from './delivery-state.ts'

/** One delivery of a tenant, or undefined. `id` is a valid `dlv_…`. By primary key, in one partition. */
export async function getDelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<DeliveryRow | undefined> {
  const found = await db.query(`SELECT ${deliveryRow.columns} FROM deliveries d WHERE d.id = $1 AND d.tenant_id = $2`, [
    typeIdToUuid('dlv', o.id),
    o.tenant,
  ])
  return deliveryRow.readFirst(found)
}

/**
 * Sets a finished delivery back to `pending`, due now under a new attempt number, with all attempts of the schedule before
 * it. Undefined when it is not finished, not there, or its webhook is deleted. By primary key.
 */
export async function redeliver(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<DeliveryRow | undefined> {
  const sent = await db.query(
    `UPDATE deliveries d SET ${SENT_AGAIN}, replay_id = NULL
      WHERE d.id = $1 AND d.tenant_id = $2 AND ${FINISHED}
        AND EXISTS (SELECT FROM webhooks w WHERE w.id = d.webhook_id AND w.deleted_at IS NULL)
     RETURNING ${deliveryRow.columns}`,
    [typeIdToUuid('dlv', o.id), o.tenant],
  )
  return deliveryRow.readFirst(sent)
}

/**
 * Cancels up to `limit` deliveries of a webhook that wait (`pending`, `queued`), all or those of one replay; answers how
 * many. Attempts that are under way are left to end. Rows that another transaction holds are left out, so it never waits.
 * Call it until it answers 0. Finds them by `deliveries_ordering`, which holds unfinished deliveries alone, and those of a replay
 * by `deliveries_replay`, whose order is in the statement.
 */
export async function cancelDeliveries(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId?: string; readonly limit: number },
): Promise<number> {
  const ofReplay = o.replayId === undefined ? '' : 'AND replay_id = $4 ORDER BY "offset"'
  const { rowCount } = await db.query(
    `UPDATE deliveries d
        SET state = 'cancelled', due_at = NULL, lease_until = NULL, finished_at = now()
       FROM (SELECT id FROM deliveries
              WHERE webhook_id = $1 AND tenant_id = $2 AND state IN ('pending', 'queued') AND ${isNotStarted()}
                ${ofReplay}
              LIMIT $3 FOR UPDATE SKIP LOCKED) AS waiting
      WHERE d.id = waiting.id AND ${isStill(['pending', 'queued'], 'd')} AND ${isNotStarted('d')}`,
    [
      typeIdToUuid('whk', o.webhookId),
      o.tenant,
      o.limit,
      ...(o.replayId === undefined ? [] : [typeIdToUuid('rpl', o.replayId)]),
    ],
  )
  return rowCount ?? 0
}
