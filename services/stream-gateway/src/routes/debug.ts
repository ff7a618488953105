import type { EpochFollower } from '../epochs/follow-epochs.ts'
import { ALL_TYPES, type StreamFilter } from '../hub/filter.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import type { Streams } from '../streams/streams.ts'

/** Numbers for operators: `/debug/streams`. They name no tenant, key or task. */
export function debugStreams(epochs: EpochFollower, { registry }: Streams, budget: UnsentBudget): object {
  const { epochReader } = epochs
  if (epochReader === undefined) return { trouble: epochs.trouble, streams: registry.size }
  const { hub, reader } = epochReader
  const { ring, duplicates } = hub
  return {
    epoch: hub.epoch,
    caught_up: epochReader.caughtUp(),
    streams: registry.size,
    phases: countBy(registry.all(), ({ phase }) => phase),
    filters: countBy(registry.all(), ({ filter }) => filterKind(filter)),
    unsent_bytes: budget.bytes,
    groups: hub.filterIndex.groups,
    ended: { ...Object.fromEntries(registry.ended), over_budget: budget.closed },
    counts: hub.counts,
    duplicates: {
      ids: hub.ids.size,
      look_up_open: duplicates.isOpen,
      unchecked: duplicates.unchecked,
      forgotten: hub.ids.forgottenUnprojected,
    },
    ring: {
      records: ring.length,
      bytes: ring.bytes,
      oldest: ring.oldestMs === undefined ? null : new Date(ring.oldestMs).toISOString(),
    },
    reader: {
      state: reader.state,
      rebuilds: reader.rebuilds,
      lag: [...reader.lag().values()].reduce((sum, lag) => sum + Math.max(0, lag.highWatermark - lag.next), 0),
    },
    projection: epochReader.watch.state(),
  }
}

function filterKind(filter: StreamFilter): string {
  if (filter.taskId !== undefined) return 'task'
  if (filter.sessionId !== undefined) return 'session'
  if (filter.agent !== undefined) return 'agent'
  return filter.types === ALL_TYPES ? 'none' : 'types'
}

/** How many of the items have each key. */
export function countBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) {
    const key = keyOf(item)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
