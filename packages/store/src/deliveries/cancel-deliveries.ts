import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { isNotStarted } from './delivery-state.ts'

/**
 * Cancels up to `limit` deliveries of a webhook that wait (`pending`, `queued`), all or those of one replay; answers how
 * many. What is being attempted ends by itself. Rows that another transaction holds are left out, so it never waits.
 * Call it until it answers 0. Finds them by `deliveries_ordering`, which holds unfinished deliveries alone.
 */
export async function cancelDeliveries(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId?: string; readonly limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE deliveries d
        SET state = 'cancelled', due_at = NULL, lease_until = NULL, finished_at = now()
       FROM (SELECT id FROM deliveries
              WHERE webhook_id = $1 AND tenant_id = $2 AND state IN ('pending', 'queued') AND ${isNotStarted()}
                AND ($4::uuid IS NULL OR replay_id = $4)
              LIMIT $3 FOR UPDATE SKIP LOCKED) AS waiting
      WHERE d.id = waiting.id AND d.state IN ('pending', 'queued') AND ${isNotStarted('d')}`,
    [
      typeIdToUuid('whk', o.webhookId),
      o.tenant,
      o.limit,
      o.replayId === undefined ? null : typeIdToUuid('rpl', o.replayId),
    ],
  )
  return rowCount ?? 0
}
