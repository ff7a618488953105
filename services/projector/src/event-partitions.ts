import { eventIdMs } from '@ariftly/events'
import { type Pool } from '@ariftly/store'
import { ensureEventPartitions } from '@ariftly/store/events'
import { type ProjectedEvent } from '@ariftly/store/projection'
import type { Retention } from '@ariftly/store/retention'

/** Keeps the weekly partitions of `events` ahead of the inserts. */
export interface EventPartitions {
  /** Makes sure of the partitions of these events. Asks Postgres only about weeks that it has not asked about before. */
  ensure(events: readonly ProjectedEvent[]): Promise<void>
  /** The same, and asks about all of their weeks: a partition can be dropped, or be missing after a restore. */
  renew(events: readonly ProjectedEvent[]): Promise<void>
}

const DAY_MS = 24 * 60 * 60 * 1_000
const WEEK_MS = 7 * DAY_MS
/** The first Monday of the Unix epoch; only a stable way to cut time in weeks is needed here. */
const MONDAY_MS = 4 * 24 * 60 * 60 * 1_000

/** Makes the keeper of the weekly partitions that events need; it remembers the weeks that are there. */
export function createEventPartitions(pool: Pool): EventPartitions {
  const known = new Set<number>()

  async function renew(events: readonly ProjectedEvent[]): Promise<void> {
    for (const week of weeksOf(events)) known.delete(week)
    await ensure(events)
  }

  async function ensure(events: readonly ProjectedEvent[]): Promise<void> {
    for (const week of weeksOf(events)) {
      if (known.has(week)) continue
      const minMs = MONDAY_MS + week * WEEK_MS
      await ensureEventPartitions(pool, { minMs, maxMs: minMs + WEEK_MS - 1 })
      known.add(week)
    }
  }

  return { ensure, renew }
}

/** All weeks from that of the first id to that of the last: ids sort as their times do. */
function weeksOf(events: readonly ProjectedEvent[]): readonly number[] {
  const [first] = events
  if (first === undefined) return []
  let min = first.id
  let max = first.id
  for (const { id } of events) {
    if (id < min) min = id
    else if (id > max) max = id
  }
  return Array.from({ length: weekOf(max) - weekOf(min) + 1 }, (_, n) => weekOf(min) + n)
}

/**
 * Whether the partition of an id has been dropped, or is about to be, and is made no more: its end is older than history, log
 * retention and a day. A log that outlives its retention, as it goes by segments, may still have the record.
 */
export function isExpired(id: string, nowMs: number, { eventsMs, logMs }: Retention): boolean {
  return weekOf(id) < weekAt(nowMs - eventsMs - DAY_MS - logMs)
}

function weekOf(id: string): number {
  return weekAt(eventIdMs(id))
}

function weekAt(ms: number): number {
  return Math.floor((ms - MONDAY_MS) / WEEK_MS)
}
