import { createBatcher } from '@ariftly/async'
import type { Pool } from '@ariftly/store'
import { advanceWithDeliveries, type MatchedWrite, type PassedPart } from '@ariftly/store/deliveries'

/** Pairs of a webhook and a record: 3 ms of Postgres. A part with more has a statement of its own, so that no other partition waits for it. */
const SMALL_PAIRS_MAX = 50
/** Small parts of one statement. */
const PARTS_MAX = 16
/** Statements at the same time, of small parts and of large ones: together fewer than the pool has connections, so neither waits for the other. */
const CONCURRENCY = 2

/** What to write the matcher's parts takes. */
export interface PartWriterOptions {
  readonly pool: Pool
  readonly projection: string
  readonly epoch: number
  readonly topic: string
}

/**
 * Writes parts of the log as `advanceWithDeliveries` does, small parts of several partitions in one statement: what they cost
 * when events come one by one is the statement and not its rows. Parts whose common statement fails are written alone, so that
 * none fails for the fault of another.
 */
export function createPartWriter(o: PartWriterOptions): (part: PassedPart) => Promise<MatchedWrite> {
  const { pool, projection, epoch, topic } = o
  const small = createBatcher({ max: PARTS_MAX, concurrency: CONCURRENCY, run: writeTogether })
  const large = createBatcher({ max: 1, concurrency: CONCURRENCY, run: writeTogether })

  async function writeTogether(parts: readonly PassedPart[]): Promise<readonly PromiseSettledResult<MatchedWrite>[]> {
    // A part of a reader that has lost its partition may still be under way when that comes back.
    const partitions = new Set(parts.map(({ partition }) => partition))
    if (parts.length > 1 && partitions.size === parts.length) {
      try {
        const results = await advanceWithDeliveries(pool, { projection, epoch, topic, parts })
        return results.map((value) => ({ status: 'fulfilled', value }))
      } catch {
        // Each fails for itself below.
      }
    }
    return await Promise.allSettled(parts.map(writeAlone))
  }

  async function writeAlone(part: PassedPart): Promise<MatchedWrite> {
    const [result] = await advanceWithDeliveries(pool, { projection, epoch, topic, parts: [part] })
    return result ?? { type: 'moved' }
  }

  return async function writePart(part) {
    const result = await (countPairs(part) > SMALL_PAIRS_MAX ? large : small).add(part)
    if (result.status === 'rejected') throw result.reason
    return result.value
  }
}

function countPairs({ matches }: PassedPart): number {
  return matches.reduce((sum, { webhookIds }) => sum + webhookIds.length, 0)
}
