import { ERROR_CLASSES } from '@ariftly/egress'
import { choiceParam, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { latencyPercentile, readWebhookStats, sumFigures, type Figures } from '@ariftly/store/stats'
import { timeOf } from '../time-of.ts'
import { findWebhookId } from '../find-webhook.ts'

/** How long a window's buckets are, how many it has, and by which stretches its figures are kept. */
const WINDOWS = {
  '1h': { bucketS: 60, buckets: 60, stepS: 60 },
  '24h': { bucketS: 900, buckets: 96, stepS: 900 },
  '7d': { bucketS: 3600, buckets: 168, stepS: 900 },
} as const

const NOTHING: Figures = { delivered: 0, failed: 0, attempts: 0, errors: [], latencies: [] }

/**
 * Answers `GET /v1/webhooks/{id}/stats`: outcomes of first deliveries within a window, in total and by bucket. Replays,
 * redeliveries and tests are not counted.
 */
export function createGetWebhookStats(o: { pool: Pool; now?: () => number }): ApiHandler {
  const now = o.now ?? Date.now

  return async ({ caller: { tenant }, params, url }, _req, res) => {
    const { window } = readQuery(url, { window: choiceParam(['1h', '24h', '7d'], '24h') })
    const webhookId = await findWebhookId(o.pool, tenant, params['id'])
    const { bucketS, buckets, stepS } = WINDOWS[window]
    const toMs = now()
    const bucketMs = bucketS * 1000
    const fromMs = toMs - (toMs % bucketMs) - (buckets - 1) * bucketMs
    const rows = await readWebhookStats(o.pool, { tenant, webhookId, stepS, fromMs })
    const byBucket = Array.from({ length: buckets }, () => NOTHING)
    for (const row of rows) {
      const index = Math.floor((row.atMs - fromMs) / bucketMs)
      const before = byBucket[index]
      if (before !== undefined) byBucket[index] = sumFigures(before, row)
    }
    sendJson(res, 200, renderWebhookStats({ webhookId, window, fromMs, toMs, bucketMs, byBucket }))
  }
}

/** The statistics of a window by the figures of its buckets, oldest first. */
export function renderWebhookStats(o: {
  readonly webhookId: string
  readonly window: keyof typeof WINDOWS
  /** Epoch milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  readonly bucketMs: number
  readonly byBucket: readonly Figures[]
}): Record<string, unknown> {
  const all = o.byBucket.reduce(sumFigures, NOTHING)
  return {
    object: 'webhook_stats',
    webhook_id: o.webhookId,
    window: o.window,
    from: timeOf(o.fromMs),
    to: timeOf(o.toMs),
    ...countsOf(all),
    error_classes: Object.fromEntries(
      ERROR_CLASSES.map((name, index) => [name, all.errors[index] ?? 0] as const).filter(([, count]) => count > 0),
    ),
    latency_ms: latencyOf(all),
    buckets: o.byBucket.map((figures, index) => ({
      at: timeOf(o.fromMs + index * o.bucketMs),
      ...countsOf(figures),
      latency_p95_ms: latencyPercentile(figures.latencies, 0.95),
    })),
  }
}

function countsOf({ delivered, failed, attempts }: Figures): Record<string, number> {
  return { delivered_count: delivered, failed_count: failed, attempt_count: attempts }
}

function latencyOf({ latencies }: Figures): Record<string, number | null> | null {
  const at = (share: number): number | null => latencyPercentile(latencies, share)
  return at(0.5) === null ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
