import { plainArray, prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** When the record at an offset was appended. */
export interface LogTime {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/**
 * Records which offsets were appended when (design 6, `log_times`), each unless the partition has a row of the same second;
 * the caller gives at most one a second. It holds the partitions' row locks (`advancePositions`), so two writers cannot both
 * find a second empty. By index log_times_appended_at.
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
