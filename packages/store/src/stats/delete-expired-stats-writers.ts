import type { Queryable } from '../queryable.ts'

/** Forgets workers that have added no statistics for 8 days; returns how many. Reads the table, which has a row a process. */
export async function deleteExpiredStatsWriters(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(`DELETE FROM webhook_stats_writers WHERE written_at < now() - interval '8 days'`)
  return rowCount ?? 0
}
