import { registerReaderMetrics, type Metrics } from '@ariftly/runtime'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import type { EpochFollower } from '../epochs/follow-epochs.ts'
import { PHASES } from '../hub/phases.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import type { Streams } from '../streams/streams.ts'

/** A closed stream is in no registry. */
const OPEN_PHASES = PHASES.filter((phase) => phase !== 'closed')

/** What the hub of the present epoch counts, by the metric's name. */
const TOTALS: Readonly<Record<string, readonly [help: string, read: (from: EpochReader) => number]>> = {
  delivered: ['Frames of events written to streams.', ({ hub }) => hub.counts.delivered],
  delivered_bytes: ['Bytes of frames of events written to streams.', ({ hub }) => hub.counts.deliveredBytes],
  records: ['Records read from the log.', ({ hub }) => hub.counts.records],
  decoded: ['Records decoded because an open stream wanted them.', ({ hub }) => hub.counts.decoded],
  duplicates: ['Records suppressed: duplicates and dead letters.', ({ hub }) => hub.counts.hidden],
  unchecked: ['Records shown without the look-up for duplicates.', ({ hub }) => hub.duplicates.unchecked],
  forgotten_ids: [
    'Event ids dropped before they were projected: a duplicate of those may be shown.',
    ({ hub }) => hub.ids.forgottenUnprojected,
  ],
  slow: ['Times that a live stream had too much unsent.', ({ hub }) => hub.counts.overfull],
  history_pages: ['Pages read from the projection.', ({ hub }) => hub.counts.historyPages],
}

/** Registers the metrics of the gateway; all of them are asked for at each scrape. */
export function registerStreamMetrics(
  metrics: Metrics,
  epochs: EpochFollower,
  { registry }: Streams,
  budget: UnsentBudget,
): void {
  metrics.gauge({
    name: 'ariftly_stream_subscribers',
    help: 'Open streams by phase.',
    labels: ['phase'],
    collect(gauge) {
      for (const phase of OPEN_PHASES) gauge.set({ phase }, 0)
      for (const { phase } of registry.all()) gauge.inc({ phase })
    },
  })
  metrics.counter({
    name: 'ariftly_stream_ended_total',
    help: 'Streams that this process ended, by why.',
    labels: ['why'],
    total: () => [
      ...Array.from(registry.ended, ([why, value]) => ({ labels: { why }, value })),
      { labels: { why: 'over_budget' }, value: budget.closed },
    ],
  })
  for (const [name, [help, read]] of Object.entries(TOTALS)) {
    const total = () => (epochs.epochReader === undefined ? 0 : read(epochs.epochReader))
    metrics.counter({ name: `ariftly_stream_${name}_total`, help, total: () => [{ value: total() }] })
  }
  metrics.gauge({
    name: 'ariftly_stream_ring_bytes',
    help: 'Memory of the recent records.',
    collect: (gauge) => gauge.set(epochs.epochReader?.hub.ring.bytes ?? 0),
  })
  metrics.gauge({
    name: 'ariftly_stream_remembered_ids',
    help: 'Event ids in memory, by which duplicates are recognised without asking Postgres; 50 bytes each.',
    collect: (gauge) => gauge.set(epochs.epochReader?.hub.ids.size ?? 0),
  })
  metrics.gauge({
    name: 'ariftly_stream_ring_window_seconds',
    help: 'How far back the recent records reach: a stream that resumes within it needs no page of history.',
    collect(gauge) {
      const nowMs = Date.now()
      gauge.set(Math.max(0, nowMs - (epochs.epochReader?.hub.ring.oldestMs ?? nowMs)) / 1000)
    },
  })
  metrics.gauge({
    name: 'ariftly_stream_unsent_bytes',
    help: 'Bytes that wait in memory for clients to read.',
    collect: (gauge) => gauge.set(budget.bytes),
  })
  registerReaderMetrics(metrics, 'ariftly_stream', () => epochs.epochReader?.reader)
}
