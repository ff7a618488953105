import type { Metrics } from '@ariftly/runtime'

/** The numbers that the worker keeps. */
export interface WorkerMetrics {
  readonly matched: (deliveries: number) => void
  readonly queued: (lane: string, deliveries: number) => void
  readonly attempted: (result: string, errorClass: string | null, totalMs: number) => void
  readonly leasesEnded: (deliveries: number) => void
  readonly expired: (deliveries: number) => void
  readonly disabled: (reason: string) => void
}

/** Registers them; `gauges` are asked at each scrape. */
export function createWorkerMetrics(
  metrics: Metrics,
  gauges: { readonly lag: () => number; readonly active: () => number },
): WorkerMetrics {
  const matched = metrics.counter({ name: 'ariftly_webhook_matched_total', help: 'Deliveries written by the matcher.' })
  const queued = metrics.counter({
    name: 'ariftly_webhook_queued_total',
    help: 'Attempts put into a queue.',
    labels: ['lane'],
  })
  const attempts = metrics.counter({
    name: 'ariftly_webhook_attempts_total',
    help: 'Attempts by how they ended; stale: the job was dropped by its guard.',
    labels: ['result', 'error_class'],
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
  metrics.gauge({
    name: 'ariftly_webhook_matcher_lag_records',
    help: 'Records of the log not yet matched, over the partitions of this process.',
    collect: (gauge) => gauge.set(gauges.lag()),
  })
  metrics.gauge({
    name: 'ariftly_webhook_attempts_active',
    help: 'Jobs under way in this process.',
    collect: (gauge) => gauge.set(gauges.active()),
  })
  return {
    matched: (deliveries) => matched.inc(deliveries),
    queued: (lane, deliveries) => queued.inc({ lane }, deliveries),
    attempted(result, errorClass, totalMs) {
      attempts.inc({ result, error_class: errorClass ?? 'none' })
      if (result === 'delivered' || result === 'failed') seconds.observe({ result }, totalMs / 1000)
    },
    leasesEnded: (deliveries) => leases.inc(deliveries),
    expired: (deliveries) => expired.inc(deliveries),
    disabled: (reason) => disabled.inc({ reason }),
  }
}
