import { typeIdToUuid } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import type { ProjectionKey } from './projection-position.ts'

export interface PositionAdvance extends ProjectionKey {
  readonly partition: number
  /** The offset that we believe to be next. */
  readonly expected: number
  /** The offset that is next once this transaction commits. */
  readonly next: number
  /** Offset and id of the batch's last record with a valid event id; null keeps what is stored. */
  readonly lastOffset: number | null
  readonly lastId: string | null
}

/**
 * The compare-and-set that fences a projection: moves the position only if it still is where we believe it to be. False:
 * someone else owns the partition; roll back, read the positions again, seek. It locks the row until the transaction ends,
 * so it is the transaction's first statement: a second owner waits here and then gets false. By primary key.
 */
export async function advancePosition(tx: Queryable, o: PositionAdvance): Promise<boolean> {
  const { rowCount } = await tx.query(
    prepared(
      `UPDATE projection_offsets
        SET next_offset = $6, last_offset = coalesce($7, last_offset), last_id = coalesce($8::uuid, last_id), updated_at = now()
      WHERE projection = $1 AND epoch = $2 AND topic = $3 AND partition = $4 AND next_offset = $5`,
      [
        o.projection,
        o.epoch,
        o.topic,
        o.partition,
        o.expected,
        o.next,
        o.lastOffset,
        o.lastId === null ? null : typeIdToUuid('evt', o.lastId),
      ],
    ),
  )
  return rowCount === 1
}
