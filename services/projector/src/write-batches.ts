import type { DeadLetter, LogBatch } from '@ariftly/kafka'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import { advancePositions, type PositionAdvance } from '@ariftly/store/projection'
import { findConflicts, insertEvents, type EventIdConflict } from './insert-events.ts'
import { recordLogTimes } from './log-times.ts'
import { type ProjectedEvent } from './event-arrays.ts'
import type { DecodedBatch } from './decode-batch.ts'
import type { EventPartitions } from './event-partitions.ts'
import { insertApart, isRefusedRow, type Inserted } from './insert-apart.ts'
import { PROJECTION } from './projection.ts'
import { withoutDeleted } from './tenant-deletion/without-deleted.ts'

/** A batch and what its records are. */
export interface ReadBatch {
  readonly batch: LogBatch
  readonly decoded: DecodedBatch
  /** Dead letters of deleted tenants that were left out of `decoded`. */
  readonly deletedLetters?: number
}

/** Result of the batches, summed up. */
export interface WrittenBatches {
  readonly type: 'written'
  readonly inserted: number
  readonly duplicates: number
  readonly conflicts: readonly EventIdConflict[]
  readonly deadLetters: number
  /** Records of deleted tenants, left out. */
  readonly deleted: number
  /** Events that are older than the kept history, left out. */
  readonly expired: number
}

/** `lost`: a position had moved, nothing was written. */
export type WriteOutcome = WrittenBatches | { readonly type: 'lost' }

/** `refused`: these rows cannot be stored, nothing was written. */
export type TryOutcome = WriteOutcome | { readonly type: 'refused'; readonly letters: readonly DeadLetter[] }

/** Dependencies of writing batches. */
export interface WriteBatchesDeps {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  readonly eventPartitions: Pick<EventPartitions, 'renew' | 'kept'>
}

/**
 * Writes batches of different partitions in one transaction, which begins with the compare-and-set of their positions: a process that
 * does not own all of the partitions writes nothing. Records of tenants that are being deleted or were deleted are left out, and so
 * are events that are older than the kept history. Deadlocks and serialization failures are tried again. When Postgres refuses rows,
 * their weekly partitions are created again and the rows that are still refused are returned as dead letters; it rejects while a week
 * is missing even then, as that is no fault of an event. The dead letters of a batch are the caller's: they must be acknowledged
 * before this is called. Several batches together also fail when a row is refused, and when a position is locked by another
 * process; one alone waits for it.
 */
export async function writeBatches(batches: readonly ReadBatch[], deps: WriteBatchesDeps): Promise<TryOutcome> {
  try {
    return await writeOnce(batches, deps, insertAll)
  } catch (error) {
    if (!isRefusedRow(error) || batches.length > 1) throw error
    await deps.eventPartitions.renew(batches.flatMap(({ decoded }) => decoded.events))
    return await writeOnce(batches, deps, insertApart)
  }
}

type Insert = (tx: Transaction, events: readonly ProjectedEvent[]) => Promise<Inserted>

/** Rolls the transaction back. */
class NotWritten extends Error {
  readonly outcome: TryOutcome

  constructor(outcome: TryOutcome) {
    super(outcome.type)
    this.outcome = outcome
  }
}

async function writeOnce(batches: readonly ReadBatch[], deps: WriteBatchesDeps, insert: Insert): Promise<TryOutcome> {
  try {
    return await withTransaction(deps.pool, (tx) => write(tx, batches, deps, insert))
  } catch (error) {
    if (error instanceof NotWritten) return error.outcome
    throw error
  }
}

async function write(
  tx: Transaction,
  batches: readonly ReadBatch[],
  deps: WriteBatchesDeps,
  insert: Insert,
): Promise<WrittenBatches> {
  const { epoch, topic } = deps
  const advances = batches.map(advanceOf)
  if (!(await advancePositions(tx, { projection: PROJECTION, epoch, topic, advances })))
    throw new NotWritten({ type: 'lost' })
  const read = batches.flatMap(({ decoded }) => decoded.events)
  const kept = deps.eventPartitions.kept(read)
  const events = await withoutDeleted(tx, kept)
  const { inserted, refused } = await insert(tx, events)
  if (refused.length > 0) {
    throw new NotWritten({ type: 'refused', letters: batches.flatMap(({ batch }) => toLetters(batch, refused)) })
  }
  const duplicates = events.length - inserted
  const conflicts = duplicates === 0 ? [] : await findConflicts(tx, events)
  const times = batches.flatMap((one) => one.decoded.times)
  if (times.length > 0) await recordLogTimes(tx, { epoch, times })
  return {
    type: 'written',
    inserted,
    duplicates,
    conflicts,
    deadLetters: sum(batches, ({ decoded }) => decoded.letters.length),
    expired: read.length - kept.length,
    deleted: kept.length - events.length + sum(batches, ({ deletedLetters = 0 }) => deletedLetters),
  }
}

function sum(batches: readonly ReadBatch[], count: (one: ReadBatch) => number): number {
  return batches.reduce((total, one) => total + count(one), 0)
}

function advanceOf({ batch, decoded: { last } }: ReadBatch): PositionAdvance {
  return {
    partition: batch.partition,
    expected: batch.firstOffset,
    next: batch.lastOffset + 1,
    lastOffset: last?.offset ?? null,
    lastId: last?.id ?? null,
  }
}

async function insertAll(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  const { inserted } = await insertEvents(tx, events)
  return { inserted, refused: [] }
}

function toLetters({ partition, records }: LogBatch, refused: Inserted['refused']): DeadLetter[] {
  return refused.flatMap(({ event, detail }) => {
    const record = event.partition === partition ? records.find(({ offset }) => offset === event.offset) : undefined
    return record === undefined ? [] : [{ record, reason: 'not_storable', detail }]
  })
}
