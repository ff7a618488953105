import type { Queryable } from '../queryable.ts'
import type { ProjectionKey } from './projection-position.ts'

/**
 * Inserts the rows that a projection lacks, each at the given offset (the log's start). Rows that are there stay as they
 * are, so it may run at every start. Answers the partitions that got a row now.
 */
export async function ensurePositions(
  db: Queryable,
  o: ProjectionKey & { readonly starts: ReadonlyMap<number, number> },
): Promise<readonly number[]> {
  const { rows } = await db.query<{ partition: number }>(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset)
     SELECT $1, $2, $3, partition, next_offset
       FROM unnest($4::int[], $5::bigint[]) AS start (partition, next_offset)
      ORDER BY partition
     ON CONFLICT (projection, epoch, topic, partition) DO NOTHING
     RETURNING partition`,
    [o.projection, o.epoch, o.topic, [...o.starts.keys()], [...o.starts.values()]],
  )
  return rows.map((row) => row.partition)
}
