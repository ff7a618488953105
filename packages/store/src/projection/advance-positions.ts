import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import type { ProjectionKey } from './positions.ts'

/** How the position of one partition is to move. */
export interface PositionAdvance {
  readonly partition: number
  /** The offset that we believe to be next. */
  readonly expected: number
  /** The offset that is next once this transaction commits. */
  readonly next: number
  /** Offset and id of the batch's last record with a valid event id; null keeps the stored ones. */
  readonly lastOffset: number | null
  readonly lastId: string | null
}

/**
 * The compare-and-set that fences a projection: moves the positions that still are where we believe them to be, of different
 * partitions. False: not all of them were; someone else owns a partition: roll back, read the positions again, seek. It locks
 * the rows until the transaction ends, so it is the transaction's first statement: a second owner waits here and then gets
 * false. With several partitions it never waits, and rejects (55P03) when a row is locked: none waits for another's
 * owner. By primary key.
 */
export async function advancePositions(
  tx: Queryable,
  o: ProjectionKey & { readonly advances: readonly PositionAdvance[] },
): Promise<boolean> {
  const { advances } = o
  const { rowCount } = await tx.query(
    prepared(advances.length > 1 ? TOGETHER_SQL : ADVANCE_SQL, [
      o.projection,
      o.epoch,
      o.topic,
      plainArray(advances.map(({ partition }) => partition)),
      plainArray(advances.map(({ expected }) => expected)),
      plainArray(advances.map(({ next }) => next)),
      plainArray(advances.map(({ lastOffset }) => lastOffset)),
      plainArray(advances.map(({ lastId }) => (lastId === null ? null : typeIdToUuid('evt', lastId)))),
    ]),
  )
  return rowCount === advances.length
}

const ADVANCE_SQL = `
UPDATE projection_offsets o
   SET next_offset = a.next, last_offset = coalesce(a.last_offset, o.last_offset), last_id = coalesce(a.last_id, o.last_id),
       updated_at = now()
  FROM unnest($4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[])
         AS a (partition, expected, next, last_offset, last_id)
 WHERE o.projection = $1 AND o.epoch = $2 AND o.topic = $3 AND o.partition = a.partition AND o.next_offset = a.expected`

/** With any plan, a row is locked in `locked` before it is updated. */
const TOGETHER_SQL = `
WITH locked AS (
  SELECT partition FROM projection_offsets
   WHERE projection = $1 AND epoch = $2 AND topic = $3 AND partition = ANY ($4::int[])
     FOR UPDATE NOWAIT)
${ADVANCE_SQL} AND o.partition IN (SELECT partition FROM locked)`
