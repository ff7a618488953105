import type { Queryable } from '../queryable.ts'

/** Rows of one partition that one call deletes at most: more than an hour brings. */
const ROWS_MAX = 5_000

/**
 * Deletes `log_times` before a moment and returns how many. The newest row before it stays in each partition of each epoch: it says where what was appended at that
 * moment begins. At most {@link ROWS_MAX} rows of a partition in one call. By index log_times_appended_at.
 */
export async function deleteExpiredLogTimes(db: Queryable, beforeMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM log_times expired
      USING (
        SELECT old.epoch, old.partition, old."offset"
          FROM (SELECT DISTINCT epoch, partition FROM projection_offsets) AS part
         CROSS JOIN LATERAL (
           SELECT t.appended_at, t."offset" FROM log_times t
            WHERE t.epoch = part.epoch AND t.partition = part.partition AND t.appended_at < to_timestamp($1::float8 / 1000)
            ORDER BY t.appended_at DESC, t."offset" DESC
            LIMIT 1) AS newest
         CROSS JOIN LATERAL (
           SELECT t.epoch, t.partition, t."offset" FROM log_times t
            WHERE t.epoch = part.epoch AND t.partition = part.partition
              AND (t.appended_at, t."offset") < (newest.appended_at, newest."offset")
            ORDER BY t.appended_at, t."offset"
            LIMIT $2) AS old) AS gone
      WHERE expired.epoch = gone.epoch AND expired.partition = gone.partition AND expired."offset" = gone."offset"`,
    [beforeMs, ROWS_MAX],
  )
  return rowCount ?? 0
}
