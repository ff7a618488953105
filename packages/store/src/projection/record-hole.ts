import type { Queryable } from '../queryable.ts'
import type { ProjectionKey } from './projection-position.ts'

/**
 * Records that the log no longer had the offsets `from` to `to - 1` when the projection came to read them. A hole that is
 * found again at the same `from` keeps the greater `to`: retention may have gone on before the position could move.
 */
export async function recordHole(
  tx: Queryable,
  o: ProjectionKey & { readonly partition: number; readonly from: number; readonly to: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO log_holes AS known (projection, epoch, topic, partition, from_offset, to_offset)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (projection, epoch, topic, partition, from_offset)
     DO UPDATE SET to_offset = greatest(known.to_offset, excluded.to_offset)`,
    [o.projection, o.epoch, o.topic, o.partition, o.from, o.to],
  )
}
