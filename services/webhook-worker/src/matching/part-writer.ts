import { joinSmall } from '@ariftly/async'
import type { Pool } from '@ariftly/store'
import { advanceWithDeliveries, type MatchedWrite, type PassedPart } from './insert-deliveries.ts'

/** Pairs of a webhook and a record: 3 ms of Postgres. A part with more has a statement of its own, so that no other partition waits for it. */
const SMALL_PAIRS_MAX = 50
/** Small parts of one statement. */
const PARTS_MAX = 16
/** Statements at the same time, of small parts and of large ones: together fewer than the pool has connections, so neither waits for the other. */
const CONCURRENCY = { together: 2, alone: 2 } as const

/** Dependencies of the part writer. */
export interface PartWriterOptions {
  readonly pool: Pool
  readonly projection: string
  readonly epoch: number
  readonly topic: string
}

/**
 * Writes parts of the log as `advanceWithDeliveries` does, small parts of several partitions in one statement: what they cost
 * when events arrive one by one is the statement and not its rows. Parts whose common statement fails are written alone, so that
 * none fails for the fault of another.
 */
export function createPartWriter(o: PartWriterOptions): (part: PassedPart) => Promise<MatchedWrite> {
  const { pool, projection, epoch, topic } = o
  return joinSmall({ isSmall, togetherMax: PARTS_MAX, concurrency: CONCURRENCY, write })

  async function write(parts: readonly PassedPart[]): Promise<readonly MatchedWrite[] | undefined> {
    // A part of a reader that has lost its partition may still be under way when the partition is assigned again.
    const partitions = new Set(parts.map(({ partition }) => partition))
    if (partitions.size < parts.length) return undefined
    return await advanceWithDeliveries(pool, { projection, epoch, topic, parts })
  }
}

function isSmall({ matches }: PassedPart): boolean {
  return matches.reduce((sum, { webhookIds }) => sum + webhookIds.length, 0) <= SMALL_PAIRS_MAX
}
