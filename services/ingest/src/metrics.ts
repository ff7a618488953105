import type { Metrics } from '@ariftly/runtime'
import type { EntryResult } from './request/answer.ts'

/** Metrics of ingest. */
export interface IngestMetrics {
  /** Counts a post by what read it. */
  readonly posted: (reader: keyof PostsByReader) => void
  readonly counted: (status: EntryResult['status'], events: number) => void
  readonly sent: (send: { readonly records: number; readonly bytes: number; readonly ms: number }) => void
}

type EventsByStatus = Record<EntryResult['status'], number>

interface PostsByReader {
  fast_path: number
  node_http: number
}

/** Creates the metrics of posts and sends. `bufferedBytes` is asked at each scrape. */
export function createIngestMetrics(metrics: Metrics, bufferedBytes: () => number): IngestMetrics {
  const events: EventsByStatus = { accepted: 0, refused: 0, retry: 0 }
  metrics.counter({
    name: 'ariftly_ingest_events_total',
    help: 'Entries of requests by what became of them.',
    labels: ['status'],
    total: () => Object.entries(events).map(([status, value]) => ({ labels: { status }, value })),
  })
  const records = metrics.histogram({
    name: 'ariftly_ingest_send_records',
    help: 'Records of one send to Kafka.',
    buckets: [1, 10, 50, 100, 500, 1000, 5000],
  })
  const bytes = metrics.counter({ name: 'ariftly_ingest_sent_bytes_total', help: 'Bytes of records sent to Kafka.' })
  const duration = metrics.histogram({
    name: 'ariftly_ingest_send_duration_seconds',
    help: 'From the start of a send to Kafka to its outcome.',
  })
  metrics.gauge({
    name: 'ariftly_ingest_buffered_bytes',
    help: 'Bytes of requests held in memory.',
    collect: (gauge) => gauge.set(bufferedBytes()),
  })
  const posts: PostsByReader = { fast_path: 0, node_http: 0 }
  metrics.counter({
    name: 'ariftly_ingest_posts_total',
    help: 'Requests to POST /v1/events by what read them: the fast path, or node:http.',
    labels: ['reader'],
    total: () => Object.entries(posts).map(([reader, value]) => ({ labels: { reader }, value })),
  })
  return {
    posted(reader) {
      posts[reader] += 1
    },
    counted(status, count) {
      events[status] += count
    },
    sent(send) {
      records.observe(send.records)
      bytes.inc(send.bytes)
      duration.observe(send.ms / 1000)
    },
  }
}

/** Registers the metrics read from the log at each scrape: partitions that are not written to, and clocks of brokers. */
export function registerLogMetrics(
  metrics: Metrics,
  ask: { readonly openPartitions: () => number; readonly clockSkew: () => ReadonlyMap<number, number> },
): void {
  metrics.gauge({
    name: 'ariftly_ingest_open_partitions',
    help: 'Partitions whose events are refused because Kafka does not take them.',
    collect: (gauge) => gauge.set(ask.openPartitions()),
  })
  metrics.gauge({
    name: 'ariftly_ingest_clock_skew_seconds',
    help: "Lower bound of how far the clock is ahead of a broker's (negative: behind).",
    labels: ['broker'],
    collect(gauge) {
      gauge.reset()
      for (const [broker, aheadMs] of ask.clockSkew()) gauge.set({ broker: String(broker) }, aheadMs / 1000)
    },
  })
}
