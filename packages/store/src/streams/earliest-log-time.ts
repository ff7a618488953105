import type { Queryable } from '../queryable.ts'

/**
 * When the oldest record of the epoch that is not older than `sinceMs` was appended, as far as the projection knows;
 * undefined when there is none. By index log_times_appended_at, one probe a partition.
 */
export async function earliestLogTime(
  db: Queryable,
  o: { readonly epoch: number; readonly partitions: number; readonly sinceMs: number },
): Promise<number | undefined> {
  const { rows } = await db.query<{ earliest: Date | null }>(
    `SELECT min(first.appended_at) AS earliest
       FROM generate_series(0, $2::int - 1) AS asked (partition)
      CROSS JOIN LATERAL (
        SELECT t.appended_at FROM log_times t
         WHERE t.epoch = $1 AND t.partition = asked.partition AND t.appended_at >= to_timestamp($3::float8 / 1000)
         ORDER BY t.appended_at
         LIMIT 1) first`,
    [o.epoch, o.partitions, o.sinceMs],
  )
  return rows[0]?.earliest?.getTime()
}
