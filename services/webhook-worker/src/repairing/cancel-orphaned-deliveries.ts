import { prepared, type Queryable } from '@ariftly/store'
import { isStill, TRANSITIONS } from '@ariftly/store/deliveries'
import { PENDING_WEBHOOKS } from '../queueing/pending-webhooks.ts'

/**
 * Cancels pending deliveries of webhooks that are deleted: what a long backlog left over, and what a matcher wrote, with its
 * list of a moment ago, just after the deletion had cancelled the rest. Returns how many, at most `limit`. With
 * `deletedWithinMs` it checks what was deleted lately, by indexes webhooks_deleted and deliveries_due; without, it finds every webhook with
 * pending deliveries by jumping through that index, so that nothing stays pending however long no sweeper ran. The ids are an array, a planner hint.
 */
export async function cancelOrphanedDeliveries(
  db: Queryable,
  o: { readonly limit: number; readonly deletedWithinMs?: number },
): Promise<number> {
  const values = o.deletedWithinMs === undefined ? [o.limit] : [o.limit, o.deletedWithinMs]
  const { rowCount } = await db.query(
    prepared(
      `WITH RECURSIVE ${o.deletedWithinMs === undefined ? ALL : RECENT}
     UPDATE deliveries d
        SET ${TRANSITIONS.cancel.set}
      WHERE id = ANY (ARRAY(
              SELECT waiting.id
                FROM orphaned
               CROSS JOIN LATERAL (
                       SELECT id FROM deliveries WHERE webhook_id = orphaned.id AND state = 'pending' LIMIT $1) waiting
               LIMIT $1))
        AND ${isStill(['pending'])}`,
      values,
    ),
  )
  return rowCount ?? 0
}

const RECENT = `orphaned AS (SELECT id FROM webhooks WHERE deleted_at > now() - $2::float8 * interval '1 ms')`

const ALL = `
${PENDING_WEBHOOKS},
orphaned AS (SELECT w.id FROM pending JOIN webhooks w ON w.id = pending.webhook_id WHERE w.deleted_at IS NOT NULL)`
