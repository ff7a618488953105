import type { Metrics } from '@ariftly/runtime'
import type { Phase } from './client.ts'
import { ALL_TYPES, type StreamFilter } from './filter.ts'
import type { Gateway } from './gateway.ts'
import type { Streams } from './streams.ts'

/** Numbers for operators: `/debug/streams`. They name no tenant, key or task. */
export function debugStreams(gateway: Gateway, streams: Streams): object {
  const { generation } = gateway
  if (generation === undefined) return { trouble: gateway.trouble, streams: streams.size }
  const { hub, reader, copies } = generation
  const { ring } = hub
  const oldestMs = ring.oldest?.appendedAtMs
  return {
    epoch: hub.epoch,
    caught_up: generation.caughtUp(),
    streams: streams.size,
    phases: countBy(hub.clients, (client) => client.phase),
    filters: countBy(hub.clients, (client) => filterKind(client.filter)),
    slow: [...hub.clients].filter((client) => client.slow).length,
    unsent_bytes: [...hub.clients].reduce((sum, client) => sum + client.sink.unsentBytes(), 0),
    groups: hub.subscribers.groups,
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
    projection: generation.watch.state(),
  }
}

/** The same numbers as metrics. */
export function registerMetrics(metrics: Metrics, gateway: Gateway, streams: Streams): void {
  const phases: readonly Phase[] = ['starting', 'history', 'pulling', 'held', 'live']
  metrics.gauge({
    name: 'ariftly_stream_clients',
    help: 'Open streams by phase.',
    labels: ['phase'],
    collect(gauge) {
      const counted = countBy(gateway.generation?.hub.clients ?? [], (client) => client.phase)
      for (const phase of phases) gauge.set({ phase }, counted[phase] ?? 0)
    },
  })
  metrics.gauge({
    name: 'ariftly_stream_ended',
    help: 'Streams that this process ended, by why, since it started.',
    labels: ['why'],
    collect(gauge) {
      for (const [why, n] of streams.ended) gauge.set({ why }, n)
    },
  })
  const numbers: Readonly<Record<string, readonly [help: string, read: () => number | undefined]>> = {
    delivered: ['Frames of events written to streams.', () => gateway.generation?.hub.counts.delivered],
    delivered_bytes: ['Bytes of them.', () => gateway.generation?.hub.counts.deliveredBytes],
    records: ['Records dispatched.', () => gateway.generation?.hub.counts.records],
    copies: ['Records suppressed as copies.', () => gateway.generation?.hub.counts.copies],
    unchecked: ['Records that went out without the look-up for copies.', () => gateway.generation?.copies.unchecked],
    slow: ['Times that a live stream was found too slow.', () => gateway.generation?.hub.counts.slow],
    history_pages: ['Pages read from the projection.', () => gateway.generation?.hub.counts.historyPages],
    ring_bytes: ['Memory of the recent records.', () => gateway.generation?.hub.ring.bytes],
    ring_records: ['Recent records in memory.', () => gateway.generation?.hub.ring.length],
  }
  for (const [name, [help, read]] of Object.entries(numbers)) {
    metrics.gauge({ name: `ariftly_stream_${name}`, help, collect: (gauge) => gauge.set(read() ?? 0) })
  }
}

function filterKind(filter: StreamFilter): string {
  if (filter.taskId !== undefined) return 'task'
  if (filter.sessionId !== undefined) return 'session'
  if (filter.agent !== undefined) return 'agent'
  return filter.types === ALL_TYPES ? 'none' : 'types'
}

function countBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) {
    const key = keyOf(item)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
