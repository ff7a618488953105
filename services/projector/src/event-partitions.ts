import { eventIdMs } from '@ariftly/events'
import { ensureEventPartitions, type Pool, type ProjectedEvent } from '@ariftly/store'

/** Keeps the weekly partitions of `events` ahead of the inserts. */
export interface EventPartitions {
  /** Makes sure of the partitions of these events. Asks Postgres only about weeks that it has not asked about before. */
  ensure(events: readonly ProjectedEvent[]): Promise<void>
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000
/** The first Monday of the Unix epoch; only a stable way to cut time in weeks is needed here. */
const MONDAY_MS = 4 * 24 * 60 * 60 * 1_000

export function createEventPartitions(pool: Pool): EventPartitions {
  const known = new Set<number>()

  async function ensure(events: readonly ProjectedEvent[]): Promise<void> {
    const missing = new Set<number>()
    for (const { id } of events) {
      const week = Math.floor((eventIdMs(id) - MONDAY_MS) / WEEK_MS)
      if (!known.has(week)) missing.add(week)
    }
    for (const week of missing) {
      const minMs = MONDAY_MS + week * WEEK_MS
      await ensureEventPartitions(pool, { minMs, maxMs: minMs + WEEK_MS - 1 })
      known.add(week)
    }
  }

  return { ensure }
}
