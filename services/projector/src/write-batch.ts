import type { RawRecord } from '@ariftly/events'
import type { DeadLetter, LogBatch } from '@ariftly/kafka'
import {
  advancePosition,
  findConflicts,
  insertEvents,
  recordLogTimes,
  sqlState,
  withTransaction,
  type EventIdConflict,
  type Pool,
  type ProjectedEvent,
  type Transaction,
} from '@ariftly/store'
import type { DecodedBatch } from './decode-batch.ts'
import { PROJECTION } from './projection.ts'

/** What a batch left behind. */
export interface WrittenBatch {
  readonly type: 'written'
  readonly inserted: number
  readonly duplicates: number
  readonly conflicts: readonly EventIdConflict[]
  readonly deadLetters: number
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

interface Inserted {
  readonly inserted: number
  /** Events that Postgres refused, with its reason. */
  readonly refused: readonly { readonly event: ProjectedEvent; readonly detail: string }[]
}

type Insert = (tx: Transaction, events: readonly ProjectedEvent[]) => Promise<Inserted>

async function writeOnce(
  tx: Transaction,
  batch: LogBatch,
  { events, letters, last, times }: DecodedBatch,
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
  const { inserted, refused } = await insert(tx, events)
  const stored = refused.length === 0 ? events : events.filter((event) => !refused.some((r) => r.event === event))
  const duplicates = stored.length - inserted
  const conflicts = duplicates === 0 ? [] : await findConflicts(tx, stored)
  if (times.length > 0) await recordLogTimes(tx, { epoch, partition, times })
  const allLetters = [...letters, ...toLetters(batch.records, refused)]
  if (allLetters.length > 0) await deps.writeDeadLetters(allLetters)
  return { type: 'written', inserted, duplicates, conflicts, deadLetters: allLetters.length }
}

async function insertAll(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  const { inserted } = await insertEvents(tx, events)
  return { inserted, refused: [] }
}

/** Inserts with a savepoint, and halves what Postgres refuses until the rows that it refuses stand alone. */
async function insertApart(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  await tx.query('SAVEPOINT part')
  try {
    const { inserted } = await insertEvents(tx, events)
    await tx.query('RELEASE SAVEPOINT part')
    return { inserted, refused: [] }
  } catch (error) {
    if (!isRefusedRow(error)) throw error
    await tx.query('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part')
    const [only, ...others] = events
    if (only === undefined) return { inserted: 0, refused: [] }
    if (others.length === 0) {
      return { inserted: 0, refused: [{ event: only, detail: `refused by the store: ${sqlState(error) ?? ''}` }] }
    }
    const middle = events.length >> 1
    const left = await insertApart(tx, events.slice(0, middle))
    const right = await insertApart(tx, events.slice(middle))
    return { inserted: left.inserted + right.inserted, refused: [...left.refused, ...right.refused] }
  }
}

/** Data that cannot be stored (class 22) or that breaks a constraint (class 23): trying again does not help. */
function isRefusedRow(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '')
}

function toLetters(records: readonly RawRecord[], refused: Inserted['refused']): DeadLetter[] {
  return refused.flatMap(({ event, detail }) => {
    const record = records.find(({ offset }) => offset === event.offset)
    return record === undefined ? [] : [{ record, reason: 'not_storable', detail }]
  })
}
