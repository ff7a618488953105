import { ALL_TYPES, type StreamFilter } from '../streams/filter.ts'
import type { EpochFollower } from '../log/follow-epochs.ts'
import type { Streams } from '../streams/streams.ts'

/** Numbers for operators: `/debug/streams`. They name no tenant, key or task. */
export function debugStreams(gateway: EpochFollower, streams: Streams): object {
  const { epochReader } = gateway
  if (epochReader === undefined) return { trouble: gateway.trouble, streams: streams.size }
  const { hub, reader, copies } = epochReader
  const { ring } = hub
  const oldestMs = ring.oldest?.appendedAtMs
  return {
    epoch: hub.epoch,
    caught_up: epochReader.caughtUp(),
    streams: streams.size,
    phases: countBy(hub.clients, (client) => client.phase),
    filters: countBy(hub.clients, (client) => filterKind(client.filter)),
    slow: [...hub.clients].filter((client) => client.slow).length,
    unsent_bytes: [...hub.clients].reduce((sum, client) => sum + client.sink.unsentBytes(), 0),
    groups: hub.filterIndex.groups,
    ended: Object.fromEntries(streams.ended),
    counts: hub.counts,
    copies: { ids: hub.ids.size, look_up_open: copies.isOpen, unchecked: copies.unchecked },
    ring: {
      records: ring.length,
      bytes: ring.bytes,
      oldest: oldestMs === undefined ? null : new Date(oldestMs).toISOString(),
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
