import { uuidToTypeId } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** The position of a projection in a partition of the log. */
export interface ProjectionPosition {
  /** The first offset not yet handled. */
  readonly nextOffset: number
  /** Offset of the last record handled that had a valid event id; null when there was none yet. */
  readonly lastOffset: number | null
  /** The event id (`evt_…`) of that record. */
  readonly lastId: string | null
}

/** Whose positions are meant: a projection (`events`, `webhooks`) of one epoch of a topic. */
export interface ProjectionKey {
  readonly projection: string
  readonly epoch: number
  readonly topic: string
}

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

/**
 * Inserts a projection's missing rows, each at the given offset (the log's start). Existing rows are not changed, so it may run
 * at every start. Returns the partitions that got a row now.
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

/**
 * Records a gap: the log no longer had the offsets `from` to `to - 1` when the projection read them. A gap found again at the
 * same `from` keeps the greater `to`: retention may have deleted more before the position could move.
 */
export async function recordGap(
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
