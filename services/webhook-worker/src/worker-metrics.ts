import type { LogReader } from '@ariftly/kafka'
import { registerReaderMetrics, type Metrics } from '@ariftly/runtime'
import type { DeliveryCounts } from './repairing/count-deliveries.ts'

/** The numbers that the worker keeps. */
export interface WorkerMetrics {
  readonly matched: (deliveries: number) => void
  readonly queued: (priority: string, deliveries: number) => void
  readonly attempted: (result: string, errorClass: string | null, totalMs: number) => void
  readonly unreachable: (reason: string) => void
  readonly leasesEnded: (deliveries: number) => void
  readonly expired: (deliveries: number) => void
  readonly disabled: (reason: string) => void
}

/** Of attempts that ended in the same way. */
interface EndedMetrics {
  readonly count: { inc(): void }
  /** Undefined for attempts that sent nothing. */
  readonly seconds?: { observe(value: number): void }
}

/** Values that are read at each scrape. */
export interface WorkerGauges {
  readonly reader: () => LogReader | undefined
  readonly active: () => number
  /** Undefined where another worker counts. */
  readonly backlog: () => DeliveryCounts | undefined
}

/** Registers the counters. */
export function createWorkerMetrics(metrics: Metrics): WorkerMetrics {
  const matched = metrics.counter({ name: 'ariftly_webhook_matched_total', help: 'Deliveries written by the matcher.' })
  const queued = metrics.counter({
    name: 'ariftly_webhook_queued_total',
    help: 'Attempts put into a queue.',
    labels: ['priority'],
  })
  const attempts = metrics.counter({
    name: 'ariftly_webhook_attempts_total',
    help: 'Attempts by how they ended; stale: the job was dropped by its guard.',
    labels: ['result', 'error_class'],
  })
  const unreachable = metrics.counter({
    name: 'ariftly_webhook_unreachable_hosts_total',
    help: 'Attempts whose host has no address that may be reached; reason: not_found, lookup_failed, or the range of its address.',
    labels: ['reason'],
  })
  const seconds = metrics.histogram({
    name: 'ariftly_webhook_attempt_seconds',
    help: 'Time of the whole exchange.',
    labels: ['result'],
  })
  const leases = metrics.counter({
    name: 'ariftly_webhook_leases_ended_total',
    help: 'Deliveries brought back because their lease had ended.',
  })
  const expired = metrics.counter({
    name: 'ariftly_webhook_delivery_expired_total',
    help: 'Deliveries not finished when their partition was dropped.',
  })
  const disabled = metrics.counter({
    name: 'ariftly_webhook_disabled_total',
    help: 'Webhooks disabled by the worker.',
    labels: ['reason'],
  })
  const ends = new Map<string, EndedMetrics>()

  /** The metrics of attempts with this end, found once: prom-client would look their labels up for every attempt. */
  function endedBy(result: string, errorClass: string): EndedMetrics {
    const key = `${result} ${errorClass}`
    const known = ends.get(key)
    if (known !== undefined) return known
    const sent = result === 'delivered' || result === 'failed'
    const count = attempts.labels({ result, error_class: errorClass })
    const ended = sent ? { count, seconds: seconds.labels({ result }) } : { count }
    ends.set(key, ended)
    return ended
  }

  return {
    matched: (deliveries) => matched.inc(deliveries),
    queued: (priority, deliveries) => queued.inc({ priority }, deliveries),
    attempted(result, errorClass, totalMs) {
      const ended = endedBy(result, errorClass ?? 'none')
      ended.count.inc()
      ended.seconds?.observe(totalMs / 1000)
    },
    unreachable: (reason) => unreachable.inc({ reason }),
    leasesEnded: (deliveries) => leases.inc(deliveries),
    expired: (deliveries) => expired.inc(deliveries),
    disabled: (reason) => disabled.inc({ reason }),
  }
}

/** Registers the gauges, which are read when metrics are. */
export function registerWorkerGauges(metrics: Metrics, gauges: WorkerGauges): void {
  registerReaderMetrics(metrics, 'ariftly_webhook_matcher', gauges.reader)
  registerBacklog(metrics, gauges.backlog)
  metrics.gauge({
    name: 'ariftly_webhook_attempts_active',
    help: 'Attempts under way in this process, and those of its jobs that wait for a place.',
    collect: (gauge) => gauge.set(gauges.active()),
  })
}

/** Of all webhooks, reported by the one worker that counts. */
function registerBacklog(metrics: Metrics, backlog: WorkerGauges['backlog']): void {
  metrics.gauge({
    name: 'ariftly_webhook_deliveries',
    help: 'Unfinished deliveries: due, waiting (due later), held (more workers would not help), queued, attempting.',
    labels: ['state'],
    collect(gauge) {
      gauge.reset()
      const counts = backlog()
      if (counts === undefined) return
      for (const state of ['due', 'waiting', 'held', 'queued', 'attempting'] as const) {
        gauge.set({ state }, counts[state])
      }
    },
  })
  metrics.gauge({
    name: 'ariftly_webhook_due_age_seconds',
    help: 'For how long the delivery that may be sent and is due longest has been due; 0 when none is.',
    // A label, so that it has no value where it is not known.
    labels: ['state'],
    collect(gauge) {
      gauge.reset()
      const counts = backlog()
      if (counts !== undefined) gauge.set({ state: 'due' }, counts.oldestDueS)
    },
  })
}
