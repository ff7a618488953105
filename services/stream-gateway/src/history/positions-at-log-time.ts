import type { Queryable } from '@ariftly/store'

/** How far a broker's clock may be set back without a loss. */
const CLOCK_SLACK_MS = 60_000

/**
 * For each partition of the epoch an offset from which all records appended at or after a moment follow, with at most a second
 * of earlier ones (`log_times`). After a broker's clock was set back, records of that time or later may precede the last one of
 * an earlier time: the offset is before the first record appended within a minute after the moment. A partition without records
 * that old is left out: it starts at its first offset. By index log_times_appended_at and primary key: a few probes a partition,
 * and a minute of that index.
 */
export async function positionsAtLogTime(
  db: Queryable,
  o: { readonly epoch: number; readonly partitions: number; readonly atMs: number },
): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ partition: number; offset: number }>(
    `SELECT asked.partition::int4 AS partition, least(at."offset", before."offset", later."offset") AS "offset"
       FROM generate_series(0, $2::int - 1) AS asked (partition)
      CROSS JOIN LATERAL (
        SELECT t."offset" FROM log_times t
         WHERE t.epoch = $1 AND t.partition = asked.partition AND t.appended_at <= to_timestamp($3::float8 / 1000)
         ORDER BY t.appended_at DESC, t."offset" DESC
         LIMIT 1) at
      CROSS JOIN LATERAL (
        SELECT min(t."offset") AS "offset" FROM log_times t
         WHERE t.epoch = $1 AND t.partition = asked.partition
           AND t.appended_at > to_timestamp($3::float8 / 1000) AND t.appended_at <= to_timestamp(($3::float8 + $4) / 1000)) later
       LEFT JOIN LATERAL (
        SELECT t."offset" FROM log_times t
         WHERE t.epoch = $1 AND t.partition = asked.partition AND t."offset" < later."offset"
         ORDER BY t."offset" DESC
         LIMIT 1) before ON true`,
    [o.epoch, o.partitions, o.atMs, CLOCK_SLACK_MS],
  )
  return new Map(rows.map((row) => [row.partition, row.offset]))
}

/**
 * When the oldest projected record of the epoch that is not older than `sinceMs` was appended; undefined when there is none. By
 * index log_times_appended_at, one probe a partition.
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
