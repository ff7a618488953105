import type { RawRecord } from '@ariftly/events'
import type { DeadLetter, LogBatch } from '@ariftly/kafka'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import {
  advancePosition,
  findConflicts,
  insertEvents,
  recordLogTimes,
  type EventIdConflict,
  type ProjectedEvent,
} from '@ariftly/store/projection'
import { readTenantLogEnds } from '@ariftly/store/tenants'
import type { DecodedBatch } from './decode-batch.ts'
import { insertApart, isRefusedRow, type Inserted } from './insert-apart.ts'
import { PROJECTION } from './projection.ts'
import { withoutDeleted } from './tenant-deletion/without-deleted.ts'

/** What a batch left behind. */
export interface WrittenBatch {
  readonly type: 'written'
  readonly inserted: number
  readonly duplicates: number
  readonly conflicts: readonly EventIdConflict[]
  readonly deadLetters: number
  /** Events of former owners of a tenant's id, left out. */
  readonly deleted: number
}

/** `lost`: the position had moved, nothing was written. */
export type WriteOutcome = WrittenBatch | { readonly type: 'lost' }

export interface WriteBatchDeps {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  /** Writes dead letters and resolves when they are acknowledged. */
  writeDeadLetters(letters: readonly DeadLetter[]): Promise<void>
}

/**
 * Writes one batch of one partition in one transaction, which begins with the compare-and-set of the position: whoever does
 * not own the partition writes nothing, in Postgres or as a dead letter. Dead letters are acknowledged before the commit.
 * Deadlocks and serialization failures are tried again; a row that Postgres refuses becomes a dead letter by itself.
 */
export async function writeBatch(batch: LogBatch, decoded: DecodedBatch, deps: WriteBatchDeps): Promise<WriteOutcome> {
  try {
    return await withTransaction(deps.pool, (tx) => writeOnce(tx, batch, decoded, deps, insertAll))
  } catch (error) {
    if (!isRefusedRow(error)) throw error
    return await withTransaction(deps.pool, (tx) => writeOnce(tx, batch, decoded, deps, insertApart))
  }
}

type Insert = (tx: Transaction, events: readonly ProjectedEvent[]) => Promise<Inserted>

async function writeOnce(
  tx: Transaction,
  batch: LogBatch,
  { events: decoded, letters, last, times }: DecodedBatch,
  deps: WriteBatchDeps,
  insert: Insert,
): Promise<WriteOutcome> {
  const { epoch, topic } = deps
  const { partition } = batch
  const owned = await advancePosition(tx, {
    projection: PROJECTION,
    epoch,
    topic,
    partition,
    expected: batch.firstOffset,
    next: batch.lastOffset + 1,
    lastOffset: last?.offset ?? null,
    lastId: last?.id ?? null,
  })
  if (!owned) return { type: 'lost' }
  const ends = await readTenantLogEnds(tx, { epoch, partition, from: batch.firstOffset })
  const events = withoutDeleted(decoded, ends)
  const { inserted, refused } = await insert(tx, events)
  const stored = refused.length === 0 ? events : events.filter((event) => !refused.some((r) => r.event === event))
  const duplicates = stored.length - inserted
  const conflicts = duplicates === 0 ? [] : await findConflicts(tx, stored)
  if (times.length > 0) await recordLogTimes(tx, { epoch, partition, times })
  const allLetters = [...letters, ...toLetters(batch.records, refused)]
  if (allLetters.length > 0) await deps.writeDeadLetters(allLetters)
  return {
    type: 'written',
    inserted,
    duplicates,
    conflicts,
    deadLetters: allLetters.length,
    deleted: decoded.length - events.length,
  }
}

async function insertAll(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  const { inserted } = await insertEvents(tx, events)
  return { inserted, refused: [] }
}

function toLetters(records: readonly RawRecord[], refused: Inserted['refused']): DeadLetter[] {
  return refused.flatMap(({ event, detail }) => {
    const record = records.find(({ offset }) => offset === event.offset)
    return record === undefined ? [] : [{ record, reason: 'not_storable', detail }]
  })
}
