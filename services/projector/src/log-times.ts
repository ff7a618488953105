import { plainArray, prepared, type Queryable } from '@ariftly/store'

/** When the record at an offset was appended. */
export interface LogTime {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/**
 * Records when offsets were appended (`log_times`), unless the partition has a row of the same second; the caller gives at most
 * one a second. The caller holds the partitions' row locks (`advancePositions`), so two writers cannot insert the same second.
 * By index log_times_appended_at.
 */
export async function recordLogTimes(
  tx: Queryable,
  o: { readonly epoch: number; readonly times: readonly LogTime[] },
): Promise<void> {
  await tx.query(
    prepared(
      `INSERT INTO log_times (epoch, partition, "offset", appended_at)
     SELECT $1, given.partition, given."offset", to_timestamp(given.ms / 1000)
       FROM unnest($2::int[], $3::bigint[], $4::float8[]) AS given (partition, "offset", ms)
      WHERE NOT EXISTS (
        SELECT FROM log_times held
         WHERE held.epoch = $1 AND held.partition = given.partition
           AND held.appended_at >= to_timestamp(floor(given.ms / 1000))
           AND held.appended_at < to_timestamp(floor(given.ms / 1000) + 1))
     ON CONFLICT DO NOTHING`,
      [
        o.epoch,
        plainArray(o.times.map(({ partition }) => partition)),
        plainArray(o.times.map(({ offset }) => offset)),
        plainArray(o.times.map(({ appendedAtMs }) => appendedAtMs)),
      ],
    ),
  )
}

/** Rows of one partition that one call deletes at most: more than an hour brings. */
const ROWS_MAX = 5_000

/**
 * Deletes `log_times` that are a day older than the kept events and returns how many. Keeps the newest of these in each partition of
 * each epoch, from which the oldest kept records are found. At most {@link ROWS_MAX} rows of a partition in one call. By index
 * log_times_appended_at.
 */
export async function deleteExpiredLogTimes(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM log_times expired
      USING (
        SELECT old.epoch, old.partition, old."offset"
          FROM (SELECT history_now() - make_interval(days => events_days + 1) AS since FROM retention) AS kept
         CROSS JOIN (SELECT DISTINCT epoch, partition FROM projection_offsets) AS part
         CROSS JOIN LATERAL (
           SELECT t.appended_at, t."offset" FROM log_times t
            WHERE t.epoch = part.epoch AND t.partition = part.partition AND t.appended_at < kept.since
            ORDER BY t.appended_at DESC, t."offset" DESC
            LIMIT 1) AS newest
         CROSS JOIN LATERAL (
           SELECT t.epoch, t.partition, t."offset" FROM log_times t
            WHERE t.epoch = part.epoch AND t.partition = part.partition
              AND (t.appended_at, t."offset") < (newest.appended_at, newest."offset")
            ORDER BY t.appended_at, t."offset"
            LIMIT $1) AS old) AS gone
      WHERE expired.epoch = gone.epoch AND expired.partition = gone.partition AND expired."offset" = gone."offset"`,
    [ROWS_MAX],
  )
  return rowCount ?? 0
}
