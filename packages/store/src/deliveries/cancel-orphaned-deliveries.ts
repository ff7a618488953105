import type { Queryable } from '../queryable.ts'

/**
 * Cancels pending deliveries of webhooks that are deleted: those that a matcher wrote, with its list of a moment ago, just
 * after the deletion had cancelled the rest. Answers how many, at most `limit`. By index deliveries_due.
 */
export async function cancelOrphanedDeliveries(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE deliveries
        SET state = 'cancelled', due_at = NULL, finished_at = now()
      WHERE id = ANY (ARRAY(
              SELECT d.id
                FROM webhooks w
               CROSS JOIN LATERAL (
                       SELECT id FROM deliveries WHERE webhook_id = w.id AND state = 'pending' LIMIT $1) d
               WHERE w.deleted_at > now() - interval '1 hour'
               LIMIT $1))
        AND state = 'pending'`,
    [o.limit],
  )
  return rowCount ?? 0
}
