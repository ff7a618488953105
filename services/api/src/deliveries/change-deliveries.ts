import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import type { Queryable, Transaction } from '@ariftly/store'
import { deliveryRow, type DeliveryRow, NOT_STARTED, probeSoon, TRANSITIONS } from '@ariftly/store/deliveries'

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
 * Sends a delivery now: a finished one is `pending` again under a new attempt number, with all attempts of the schedule before it; a pending one
 * becomes due, and its attempts and waits continue where they are. One that is queued or under way is left to end. The next probe of a failing
 * endpoint becomes due. Undefined when there is no such delivery. By primary keys.
 */
export async function redeliver(
  tx: Transaction,
  o: { readonly tenant: string; readonly id: string },
): Promise<DeliveryRow | 'webhook_deleted' | undefined> {
  const key = [typeIdToUuid('dlv', o.id), o.tenant]
  const { rows } = await tx.query<{ webhook_id: string; deleted: boolean }>(
    `SELECT d.webhook_id, w.id IS NULL AS deleted
       FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id AND w.deleted_at IS NULL
      WHERE d.id = $1 AND d.tenant_id = $2`,
    key,
  )
  if (rows[0] === undefined) return undefined
  if (rows[0].deleted) return 'webhook_deleted'
  // The endpoint before the delivery, as where outcomes are recorded.
  await probeSoon(tx, { webhookIds: [uuidToTypeId('whk', rows[0].webhook_id)] })
  const locked = await tx.query<{ finished: boolean }>(
    `SELECT ${TRANSITIONS.sendAgain.guard} AS finished FROM deliveries d WHERE d.id = $1 AND d.tenant_id = $2 FOR UPDATE`,
    key,
  )
  const change = locked.rows[0]?.finished === true ? SEND_AGAIN : MAKE_DUE
  const sent = await tx.query(`${change} WHERE d.id = $1 AND d.tenant_id = $2 RETURNING ${deliveryRow.columns}`, key)
  return deliveryRow.readFirst(sent)
}

const SEND_AGAIN = `UPDATE deliveries d SET ${TRANSITIONS.sendAgain.set}, replay_id = NULL`
/** What is queued has no `due_at`. */
const MAKE_DUE = 'UPDATE deliveries d SET due_at = CASE WHEN d.due_at > now() THEN now() ELSE d.due_at END'

/**
 * Cancels up to `limit` deliveries of a webhook that wait (`pending`, `queued`), all or those of one replay; returns how
 * many. Attempts that are under way are left to end. Rows that another transaction holds are left out, so it never waits.
 * Call it until it returns 0. Finds them by `deliveries_ordering`, which holds unfinished deliveries alone, and those of a replay
 * by `deliveries_replay`, whose order is in the statement.
 */
export async function cancelDeliveries(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId?: string; readonly limit: number },
): Promise<number> {
  const ofReplay = o.replayId === undefined ? '' : 'AND replay_id = $4 ORDER BY "offset"'
  const { rowCount } = await db.query(
    `UPDATE deliveries d
        SET ${TRANSITIONS.cancel.set}
       FROM (SELECT id FROM deliveries d
              WHERE webhook_id = $1 AND tenant_id = $2 AND state IN ('pending', 'queued') AND ${NOT_STARTED}
                ${ofReplay}
              LIMIT $3 FOR UPDATE SKIP LOCKED) AS waiting
      WHERE d.id = waiting.id AND ${TRANSITIONS.cancel.guard} AND ${NOT_STARTED}`,
    [
      typeIdToUuid('whk', o.webhookId),
      o.tenant,
      o.limit,
      ...(o.replayId === undefined ? [] : [typeIdToUuid('rpl', o.replayId)]),
    ],
  )
  return rowCount ?? 0
}
