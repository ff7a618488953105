import type { Queryable } from '../queryable.ts'

/**
 * Drops the partitions of `events` whose end is older than what is kept of events and of the log, and one day; answers their names.
 * The function in Postgres checks the rule and takes a shorter retention than 7 days for 7 days. 55P03: try again later.
 */
export async function dropExpiredEventPartitions(
  db: Queryable,
  o: { readonly logRetentionMs: number },
): Promise<readonly string[]> {
  const { rows } = await db.query<{ dropped: string[] }>('SELECT drop_expired_event_partitions($1) AS dropped', [
    o.logRetentionMs,
  ])
  return rows[0]?.dropped ?? []
}
