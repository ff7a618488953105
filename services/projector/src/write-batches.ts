import { recordTenant } from '@ariftly/events'
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
import { deletedTenants } from '@ariftly/store/tenants'
import type { DecodedBatch } from './decode-batch.ts'
import { insertApart, isRefusedRow, type Inserted } from './insert-apart.ts'
import { PROJECTION } from './projection.ts'

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
  /** Records of deleted tenants, left out. */
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
 * does not own all of the partitions writes nothing, in Postgres or as a dead letter. Records of tenants that are being deleted
 * or were deleted are left out, dead letters too. Dead letters are acknowledged before the commit. Deadlocks and serialization
 * failures are tried again; a row that Postgres refuses becomes a dead letter by itself.
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
  const read = batches.flatMap(({ decoded }) => decoded.events)
  const bad = batches.flatMap(({ decoded }) => decoded.letters)
  const deleted = await deletedTenants(tx, tenantsOf(read, bad))
  const events = deleted.size === 0 ? read : read.filter(({ tenant }) => !deleted.has(tenant))
  const { inserted, refused } = await insert(tx, events)
  const stored = refused.length === 0 ? events : events.filter((event) => !refused.some((r) => r.event === event))
  const duplicates = stored.length - inserted
  const conflicts = duplicates === 0 ? [] : await findConflicts(tx, stored)
  const times = batches.flatMap((one) => one.decoded.times)
  if (times.length > 0) await recordLogTimes(tx, { epoch, times })
  const own = deleted.size === 0 ? bad : bad.filter(({ record }) => !deleted.has(recordTenant(record) ?? ''))
  const letters = [...own, ...batches.flatMap(({ batch }) => toLetters(batch, refused))]
  if (letters.length > 0) await deps.writeDeadLetters(letters)
  return {
    type: 'written',
    inserted,
    duplicates,
    conflicts,
    deadLetters: letters.length,
    deleted: read.length - events.length + bad.length - own.length,
  }
}

function* tenantsOf(events: readonly ProjectedEvent[], letters: readonly DeadLetter[]): Generator<string, void> {
  for (const { tenant } of events) yield tenant
  for (const { record } of letters) {
    const tenant = recordTenant(record)
    if (tenant !== undefined) yield tenant
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
