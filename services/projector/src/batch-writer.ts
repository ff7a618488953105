import { joinSmall } from '@ariftly/async'
import { recordTenant } from '@ariftly/events'
import type { DeadLetter } from '@ariftly/kafka'
import type { Queryable } from '@ariftly/store'
import { deletedTenants } from '@ariftly/store/tenants'
import {
  writeBatches,
  type ReadBatch,
  type TryOutcome,
  type WriteBatchesDeps,
  type WriteOutcome,
} from './write-batches.ts'

/** A batch that has more has a transaction of its own, so that no other partition waits for it. */
const SMALL = { records: 100, bytes: 256 * 1024 } as const
/** Small batches of one transaction. */
const TOGETHER_MAX = 16
/** Transactions at the same time: with several batches, and with one. More than a few only wait for each other's disk. */
const TRANSACTIONS = { together: 2, alone: 4 } as const
/** Connections that a batch writer uses at the same time. */
export const CONNECTIONS = TRANSACTIONS.together + TRANSACTIONS.alone

/** Dependencies of writing batches. */
export interface BatchWriterDeps extends WriteBatchesDeps {
  /** Writes dead letters and resolves when they are acknowledged. */
  writeDeadLetters(letters: readonly DeadLetter[]): Promise<void>
  /** Called with what each transaction has left behind. */
  readonly onWritten: (outcome: WriteOutcome & { type: 'written' }) => void
}

/**
 * Writes batches as `writeBatches` does, small ones of several partitions in one transaction: what they cost when events arrive
 * one by one is the transaction and not its rows. Batches whose common transaction fails, or has lost a position, are written
 * alone, so that none fails or waits for the fault of another.
 *
 * Dead letters are acknowledged before the transaction that moves the position begins, so a batch that waits for Kafka holds
 * neither a transaction nor a place that another batch needs. A batch that is tried again writes them again.
 */
export function createBatchWriter(deps: BatchWriterDeps): (one: ReadBatch) => Promise<WriteOutcome> {
  const writeRows = joinSmall({ isSmall, togetherMax: TOGETHER_MAX, concurrency: TRANSACTIONS, write })

  async function write(batches: readonly ReadBatch[]): Promise<readonly TryOutcome[] | undefined> {
    const outcome = await writeBatches(batches, deps)
    if (outcome.type === 'written') deps.onWritten(outcome)
    else if (batches.length > 1) return undefined
    return batches.map(() => outcome)
  }

  async function writeLetters(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length > 0) await deps.writeDeadLetters(letters)
  }

  return async function writeBatch(read) {
    const one = await withoutDeletedLetters(deps.pool, read)
    await writeLetters(one.decoded.letters)
    const outcome = await writeRows(one)
    if (outcome.type !== 'refused') return outcome
    await writeLetters(outcome.letters)
    const rest = await writeRows(withLetters(one, outcome.letters))
    if (rest.type === 'refused') throw new Error('Postgres refuses rows that it did not refuse before')
    return rest
  }
}

/** The batch with the events of these records as dead letters. */
function withLetters({ decoded, ...one }: ReadBatch, letters: readonly DeadLetter[]): ReadBatch {
  const offsets = new Set(letters.map(({ record }) => record.offset))
  const events = decoded.events.filter(({ offset }) => !offsets.has(offset))
  return { ...one, decoded: { ...decoded, events, letters: [...decoded.letters, ...letters] } }
}

/** The batch without dead letters of tenants that are being deleted or were deleted. */
async function withoutDeletedLetters(db: Queryable, one: ReadBatch): Promise<ReadBatch> {
  const { letters } = one.decoded
  if (letters.length === 0) return one
  const tenants = letters.flatMap(({ record }) => recordTenant(record) ?? [])
  const deleted = await deletedTenants(db, tenants)
  if (deleted.size === 0) return one
  const kept = letters.filter(({ record }) => !deleted.has(recordTenant(record) ?? ''))
  return { ...one, decoded: { ...one.decoded, letters: kept }, deletedLetters: letters.length - kept.length }
}

function isSmall({ batch: { records } }: ReadBatch): boolean {
  if (records.length > SMALL.records) return false
  let bytes = 0
  for (const { value } of records) bytes += value?.length ?? 0
  return bytes <= SMALL.bytes
}
