import { ExportResultCode, getNumberFromEnv, type ExportResult } from '@opentelemetry/core'
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'

interface SpanQueueOptions {
  readonly exporter: SpanExporter
  readonly log: Pick<Logger, 'warn'>
  readonly metrics: Metrics
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number
}

const WARN_EVERY_MS = 60_000

/**
 * The SDK's batching processor, which sends spans in the background, with numbers: of each span it is known whether it was exported, its
 * export failed, or it was dropped as the queue was full. The log says so once a minute at most.
 */
export function createSpanQueue(o: SpanQueueOptions): SpanProcessor {
  const { now = () => performance.now() } = o
  const queueMax = getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE') ?? 2048
  const counts = { exported: 0, failed: 0, dropped: 0 }
  let waiting = 0
  let lastReason: string | undefined
  let warnedAtMs = Number.NEGATIVE_INFINITY
  const spans = o.metrics.counter({
    name: 'ariftly_traces_spans_total',
    help: 'Spans by what became of them: exported to the collector, failed to be, or dropped as too many waited.',
    labels: ['result'],
  })
  const inner = new BatchSpanProcessor({
    exporter: { export: exportSpans, shutdown: () => o.exporter.shutdown() },
    maxQueueSize: queueMax,
    maxExportBatchSize: Math.min(getNumberFromEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? 512, queueMax),
    scheduledDelayMillis: getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY') ?? 5000,
    exportTimeoutMillis: getNumberFromEnv('OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000,
  })

  function exportSpans(...[batch, done]: Parameters<SpanExporter['export']>): void {
    waiting -= batch.length
    o.exporter.export(batch, (result: ExportResult) => {
      if (result.code === ExportResultCode.SUCCESS) count('exported', batch.length)
      else {
        lastReason = reasonOf(result.error)
        count('failed', batch.length)
      }
      done(result)
    })
  }

  function count(result: keyof typeof counts, more: number): void {
    counts[result] += more
    spans.inc({ result }, more)
    if (result === 'exported' || now() - warnedAtMs < WARN_EVERY_MS) return
    warnedAtMs = now()
    o.log.warn({ ...counts, reason: lastReason }, 'spans are lost: the trace collector does not accept them')
  }

  return {
    onStart() {},
    onEnd(span) {
      // The processor drops them too, but without a count.
      if (waiting >= queueMax) return count('dropped', 1)
      waiting += 1
      inner.onEnd(span)
    },
    forceFlush: () => inner.forceFlush(),
    async shutdown() {
      // It rejects at the first batch that fails; concurrent ones still run.
      await inner.shutdown().catch(() => undefined)
      await o.exporter.shutdown()
    },
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message. */
function reasonOf(error: Error | undefined): string {
  const code = error !== undefined && 'code' in error ? String(error.code) : undefined
  return [code, error?.message].filter((part) => part !== undefined && part !== '').join(': ') || 'unknown'
}
