import { eventIdMs } from '@ariftly/events'
import { type Pool } from '@ariftly/store'
import { ensureEventPartitions } from '@ariftly/store/events'
import { type ProjectedEvent } from './event-arrays.ts'

/** Keeps the weekly partitions of `events` ahead of the inserts. */
export interface EventPartitions {
  /** Makes sure of the partitions of these events. Asks Postgres only about weeks that it has not asked about before. */
  ensure(events: readonly ProjectedEvent[]): Promise<void>
  /** The same, and asks about all of their weeks: a partition can be dropped, or be missing after a restore. */
  renew(events: readonly ProjectedEvent[]): Promise<void>
  /**
   * These events without the ones older than the kept history, as Postgres said last: their partition has been dropped, or is
   * about to be, and is made no more. A log that outlives its retention, as it goes by segments, may still have them.
   */
  kept(events: readonly ProjectedEvent[]): readonly ProjectedEvent[]
}

const DAY_MS = 24 * 60 * 60 * 1_000
const WEEK_MS = 7 * DAY_MS
/** The first Monday of the Unix epoch; only a stable way to cut time in weeks is needed here. */
const MONDAY_MS = 4 * DAY_MS

/** Makes the keeper of the weekly partitions that events need; it remembers the weeks that are there. */
export function createEventPartitions(pool: Pool): EventPartitions {
  const known = new Set<number>()
  let keptFromMs = Number.NEGATIVE_INFINITY

  async function renew(events: readonly ProjectedEvent[]): Promise<void> {
    for (const week of weeksOf(events)) known.delete(week)
    await ensure(events)
  }

  async function ensure(events: readonly ProjectedEvent[]): Promise<void> {
    for (const week of weeksOf(events)) {
      if (known.has(week)) continue
      const minMs = MONDAY_MS + week * WEEK_MS
      const weeks = { minMs, maxMs: minMs + WEEK_MS - 1, appendedMs: newestAppend(events) }
      keptFromMs = (await ensureEventPartitions(pool, weeks)).keptFromMs
      known.add(week)
    }
  }

  function kept(events: readonly ProjectedEvent[]): readonly ProjectedEvent[] {
    const span = spanOf(events)
    if (span === undefined || eventIdMs(span.first) >= keptFromMs) return events
    return events.filter(({ id }) => eventIdMs(id) >= keptFromMs)
  }

  return { ensure, renew, kept }
}

/** All weeks from that of the first id to that of the last. */
function weeksOf(events: readonly ProjectedEvent[]): readonly number[] {
  const span = spanOf(events)
  if (span === undefined) return []
  const from = weekOf(span.first)
  return Array.from({ length: weekOf(span.last) - from + 1 }, (_, n) => from + n)
}

/** The first and the last id: ids sort as their times do. */
function spanOf(events: readonly ProjectedEvent[]): { readonly first: string; readonly last: string } | undefined {
  const [head] = events
  if (head === undefined) return undefined
  let first = head.id
  let last = head.id
  for (const { id } of events) {
    if (id < first) first = id
    else if (id > last) last = id
  }
  return { first, last }
}

function newestAppend(events: readonly ProjectedEvent[]): number {
  return events.reduce((newest, { appendedAtMs }) => Math.max(newest, appendedAtMs), Number.NEGATIVE_INFINITY)
}

function weekOf(id: string): number {
  return Math.floor((eventIdMs(id) - MONDAY_MS) / WEEK_MS)
}
