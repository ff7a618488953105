import { registerReaderMetrics, type Metrics } from '@ariftly/runtime'
import type { Phase } from '../streams/subscriber.ts'
import { countBy } from './debug.ts'
import type { EpochFollower } from '../log/follow-epochs.ts'
import type { EpochReader } from '../log/epoch-reader.ts'
import type { Streams } from '../streams/streams.ts'

const PHASES: readonly Phase[] = ['starting', 'history', 'pulling', 'held', 'live']

/** What the hub of the present epoch counts, by the metric's name. */
const TOTALS: Readonly<Record<string, readonly [help: string, read: (from: EpochReader) => number]>> = {
  delivered: ['Frames of events written to streams.', ({ hub }) => hub.counts.delivered],
  delivered_bytes: ['Bytes of frames of events written to streams.', ({ hub }) => hub.counts.deliveredBytes],
  records: ['Records dispatched to streams.', ({ hub }) => hub.counts.records],
  copies: ['Records suppressed as copies of an earlier one.', ({ hub }) => hub.counts.copies],
  unchecked: ['Records that went out without the look-up for copies.', ({ copies }) => copies.unchecked],
  slow: ['Times that a live stream was found too slow.', ({ hub }) => hub.counts.slow],
  history_pages: ['Pages read from the projection.', ({ hub }) => hub.counts.historyPages],
}

/** Registers the metrics of the gateway; all of them are asked for at each scrape. */
export function registerStreamMetrics(metrics: Metrics, gateway: EpochFollower, streams: Streams): void {
  metrics.gauge({
    name: 'ariftly_stream_clients',
    help: 'Open streams by phase.',
    labels: ['phase'],
    collect(gauge) {
      const counted = countBy(gateway.epochReader?.hub.clients ?? [], (client) => client.phase)
      for (const phase of PHASES) gauge.set({ phase }, counted[phase] ?? 0)
    },
  })
  metrics.counter({
    name: 'ariftly_stream_ended_total',
    help: 'Streams that this process ended, by why.',
    labels: ['why'],
    total: () => Array.from(streams.ended, ([why, value]) => ({ labels: { why }, value })),
  })
  for (const [name, [help, read]] of Object.entries(TOTALS)) {
    const total = () => (gateway.epochReader === undefined ? 0 : read(gateway.epochReader))
    metrics.counter({ name: `ariftly_stream_${name}_total`, help, total: () => [{ value: total() }] })
  }
  metrics.gauge({
    name: 'ariftly_stream_ring_bytes',
    help: 'Memory of the recent records.',
    collect: (gauge) => gauge.set(gateway.epochReader?.hub.ring.bytes ?? 0),
  })
  metrics.gauge({
    name: 'ariftly_stream_ring_records',
    help: 'Recent records in memory.',
    collect: (gauge) => gauge.set(gateway.epochReader?.hub.ring.length ?? 0),
  })
  metrics.gauge({
    name: 'ariftly_stream_ring_window_seconds',
    help: 'How far back the recent records reach: a stream that resumes within it needs no page of history.',
    collect(gauge) {
      const nowMs = Date.now()
      gauge.set(Math.max(0, nowMs - (gateway.epochReader?.hub.ring.oldest?.appendedAtMs ?? nowMs)) / 1000)
    },
  })
  metrics.gauge({
    name: 'ariftly_stream_unsent_bytes',
    help: 'Bytes that wait in memory for clients to read.',
    collect(gauge) {
      let bytes = 0
      for (const { sink } of gateway.epochReader?.hub.clients ?? []) bytes += sink.unsentBytes()
      gauge.set(bytes)
    },
  })
  registerReaderMetrics(metrics, 'ariftly_stream', () => gateway.epochReader?.reader)
}
