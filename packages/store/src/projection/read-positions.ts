import { uuidToTypeId } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import type { ProjectionKey, ProjectionPosition } from './projection-position.ts'

/**
 * Reads the positions of a projection, by partition; of all partitions unless some are named. Partitions without a row are
 * left out. One statement, so the positions are of one snapshot. By primary key.
 */
export async function readPositions(
  db: Queryable,
  o: ProjectionKey & { readonly partitions?: readonly number[] },
): Promise<ReadonlyMap<number, ProjectionPosition>> {
  const { rows } = await db.query<{
    partition: number
    next_offset: number
    last_offset: number | null
    last_id: string | null
  }>(
    prepared(
      `SELECT partition, next_offset, last_offset, last_id::text AS last_id
       FROM projection_offsets
      WHERE projection = $1 AND epoch = $2 AND topic = $3 AND ($4::int[] IS NULL OR partition = ANY ($4::int[]))
      ORDER BY partition`,
      [o.projection, o.epoch, o.topic, o.partitions ?? null],
    ),
  )
  return new Map(
    rows.map((row) => [
      row.partition,
      {
        nextOffset: row.next_offset,
        lastOffset: row.last_offset,
        lastId: row.last_id === null ? null : uuidToTypeId('evt', row.last_id),
      },
    ]),
  )
}
