import type { Queryable } from '../queryable.ts'

/**
 * For each partition of the epoch the offset from which everything appended at or after a moment follows, with at most a
 * second of what came before (`log_times`). A partition that has nothing that old is left out: it begins at its first
 * offset. By index log_times_appended_at, one probe a partition.
 */
export async function positionsAtLogTime(
  db: Queryable,
  o: { readonly epoch: number; readonly partitions: number; readonly atMs: number },
): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ partition: number; offset: number }>(
    `SELECT asked.partition::int4 AS partition, at."offset"
       FROM generate_series(0, $2::int - 1) AS asked (partition)
      CROSS JOIN LATERAL (
        SELECT t."offset" FROM log_times t
         WHERE t.epoch = $1 AND t.partition = asked.partition AND t.appended_at <= to_timestamp($3::float8 / 1000)
         ORDER BY t.appended_at DESC, t."offset" DESC
         LIMIT 1) at`,
    [o.epoch, o.partitions, o.atMs],
  )
  return new Map(rows.map((row) => [row.partition, row.offset]))
}
