import type { Metrics } from './metrics.ts'

/** The numbers of a reader of the log, as the log reader of packages/kafka has them. */
export interface ReaderNumbers {
  /** For each partition that is read: the next offset, the partition's end, and when its first unread record was appended. */
  lag(): ReadonlyMap<
    number,
    { readonly next: number; readonly highWatermark: number; readonly oldestMs: number | undefined }
  >
  readonly rebuilds: number
  readonly failedBatches: number
  readonly fetches: number
}

/**
 * Registers the metrics of a reader of the log: `<prefix>_lag_records` and `<prefix>_lag_seconds` by partition,
 * `<prefix>_rebuilds_total`, `<prefix>_failed_batches_total`, `<prefix>_fetches_total`.
 * @param reader gives the current reader; undefined while there is none.
 */
export function registerReaderMetrics(
  metrics: Metrics,
  prefix: string,
  reader: () => ReaderNumbers | undefined,
  now: () => number = Date.now,
): void {
  metrics.gauge({
    name: `${prefix}_lag_records`,
    help: 'Records of the partitions of this process that are not handled yet.',
    labels: ['partition'],
    collect(gauge) {
      gauge.reset()
      for (const [partition, { next, highWatermark }] of reader()?.lag() ?? []) {
        gauge.set({ partition: String(partition) }, Math.max(0, highWatermark - next))
      }
    },
  })
  metrics.gauge({
    name: `${prefix}_lag_seconds`,
    help: 'Age of the oldest record that is not handled yet, by the time at which it was appended; 0 when there is none.',
    labels: ['partition'],
    collect(gauge) {
      gauge.reset()
      const nowMs = now()
      for (const [partition, { oldestMs }] of reader()?.lag() ?? []) {
        gauge.set({ partition: String(partition) }, Math.max(0, nowMs - (oldestMs ?? nowMs)) / 1000)
      }
    },
  })
  metrics.counter({
    name: `${prefix}_rebuilds_total`,
    help: 'Times that reading was restarted: a connection broke, a leader changed, a consumer ended or had fallen silent.',
    total: () => [{ value: reader()?.rebuilds ?? 0 }],
  })
  metrics.counter({
    name: `${prefix}_failed_batches_total`,
    help: 'Times that a batch could not be decoded or handled, and was tried again.',
    total: () => [{ value: reader()?.failedBatches ?? 0 }],
  })
  metrics.counter({
    name: `${prefix}_fetches_total`,
    help: 'Fetch requests that were sent to Kafka.',
    total: () => [{ value: reader()?.fetches ?? 0 }],
  })
}
