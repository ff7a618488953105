import type { Queryable } from '../queryable.ts'

/**
 * Deletes what no window reaches any more: minutes after 3 hours, quarters of an hour after 8 days; at most `limit` rows.
 * Returns how many. By index webhook_stats_age.
 */
export async function deleteExpiredStats(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM webhook_stats
      WHERE (webhook_id, step_s, at) IN (
              SELECT webhook_id, step_s, at FROM webhook_stats WHERE step_s = 60 AND at < now() - interval '3 hours'
              UNION ALL
              SELECT webhook_id, step_s, at FROM webhook_stats WHERE step_s = 900 AND at < now() - interval '8 days'
              LIMIT $1)`,
    [o.limit],
  )
  return rowCount ?? 0
}
