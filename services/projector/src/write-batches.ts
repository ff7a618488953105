import type { DeadLetter, LogBatch } from '@ariftly/kafka'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import {
  advancePositions,
  findConflicts,
  insertEvents,
  recordLogTimes,
  type EventIdConflict,
  type PositionAdvance,
  type ProjectedEvent,
} from '@ariftly/store/projection'
import { readTenantLogEnds } from '@ariftly/store/tenants'
import type { DecodedBatch } from './decode-batch.ts'
import { insertApart, isRefusedRow, type Inserted } from './insert-apart.ts'
import { PROJECTION } from './projection.ts'
import { withoutDeleted } from './tenant-deletion/without-deleted.ts'

/** A batch and what its records are. */
export interface ReadBatch {
  readonly batch: LogBatch
  readonly decoded: DecodedBatch
}

/** What batches left behind, all of them together. */
export interface WrittenBatches {
  readonly type: 'written'
  readonly inserted: number
  readonly duplicates: number
  readonly conflicts: readonly EventIdConflict[]
  readonly deadLetters: number
  /** Events of former owners of a tenant's id, left out. */
  readonly deleted: number
}

/** `lost`: a position had moved, nothing was written. */
export type WriteOutcome = WrittenBatches | { readonly type: 'lost' }

/** What writing batches needs. */
export interface WriteBatchesDeps {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  /** Writes dead letters and resolves when they are acknowledged. */
  writeDeadLetters(letters: readonly DeadLetter[]): Promise<void>
}

/**
 * Writes batches of different partitions in one transaction, which begins with the compare-and-set of their positions: a process that
 * does not own all of the partitions writes nothing, in Postgres or as a dead letter. Dead letters are acknowledged before the
 * commit. Deadlocks and serialization failures are tried again; a row that Postgres refuses becomes a dead letter by itself.
 * Several batches together also fail when a position is locked by someone else; one alone waits for it.
 */
export async function writeBatches(batches: readonly ReadBatch[], deps: WriteBatchesDeps): Promise<WriteOutcome> {
  try {
    return await writeOnce(batches, deps, insertAll)
  } catch (error) {
    if (!isRefusedRow(error)) throw error
    return await writeOnce(batches, deps, insertApart)
  }
}

type Insert = (tx: Transaction, events: readonly ProjectedEvent[]) => Promise<Inserted>

/** Rolls the transaction back. */
class PositionLost extends Error {}

async function writeOnce(batches: readonly ReadBatch[], deps: WriteBatchesDeps, insert: Insert): Promise<WriteOutcome> {
  try {
    return await withTransaction(deps.pool, (tx) => write(tx, batches, deps, insert))
  } catch (error) {
    if (error instanceof PositionLost) return { type: 'lost' }
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
  if (!(await advancePositions(tx, { projection: PROJECTION, epoch, topic, advances }))) throw new PositionLost()
  const decoded = batches.flatMap((one) => one.decoded.events)
  const from = new Map(batches.map(({ batch }) => [batch.partition, batch.firstOffset]))
  const events = withoutDeleted(decoded, await readTenantLogEnds(tx, { epoch, from }))
  const { inserted, refused } = await insert(tx, events)
  const stored = refused.length === 0 ? events : events.filter((event) => !refused.some((r) => r.event === event))
  const duplicates = stored.length - inserted
  const conflicts = duplicates === 0 ? [] : await findConflicts(tx, stored)
  const times = batches.flatMap((one) => one.decoded.times)
  if (times.length > 0) await recordLogTimes(tx, { epoch, times })
  const letters = batches.flatMap(({ batch, decoded: own }) => [...own.letters, ...toLetters(batch, refused)])
  if (letters.length > 0) await deps.writeDeadLetters(letters)
  return {
    type: 'written',
    inserted,
    duplicates,
    conflicts,
    deadLetters: letters.length,
    deleted: decoded.length - events.length,
  }
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
