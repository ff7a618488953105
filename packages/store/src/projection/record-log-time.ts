import type { Queryable } from '../queryable.ts'

export interface LogTime {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/**
 * Records which offset was appended when (design 6, `log_times`), unless the partition has a row of the same second. The
 * caller holds the partition's row lock (`advancePosition`), so two writers cannot both find the second empty. By index
 * log_times_appended_at.
 */
export async function recordLogTime(tx: Queryable, o: LogTime): Promise<void> {
  await tx.query(
    `INSERT INTO log_times (epoch, partition, "offset", appended_at)
     SELECT $1, $2, $3, to_timestamp($4::float8 / 1000)
      WHERE NOT EXISTS (
        SELECT FROM log_times
         WHERE epoch = $1 AND partition = $2
           AND appended_at >= to_timestamp(floor($4::float8 / 1000))
           AND appended_at < to_timestamp(floor($4::float8 / 1000) + 1))
     ON CONFLICT DO NOTHING`,
    [o.epoch, o.partition, o.offset, o.appendedAtMs],
  )
}
