import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { WebhookFigures } from './webhook-figures.ts'

/** What is kept of a tenant's webhook from `fromMs` on, by stretches of `stepS`, oldest first. By primary key. */
export async function readWebhookStats(
  db: Queryable,
  o: {
    readonly tenant: string
    readonly webhookId: string
    readonly stepS: WebhookFigures['stepS']
    readonly fromMs: number
  },
): Promise<readonly WebhookFigures[]> {
  const { rows } = await db.query<{
    at: Date
    delivered_count: number
    failed_count: number
    attempt_count: number
    error_counts: number[]
    latency_counts: number[]
  }>(
    `SELECT at, delivered_count, failed_count, attempt_count, error_counts, latency_counts
       FROM webhook_stats
      WHERE webhook_id = $1 AND step_s = $2 AND at >= $3
        AND EXISTS (SELECT FROM webhooks WHERE id = $1 AND tenant_id = $4)
      ORDER BY at`,
    [typeIdToUuid('whk', o.webhookId), o.stepS, new Date(o.fromMs), o.tenant],
  )
  return rows.map((row) => ({
    webhookId: o.webhookId,
    stepS: o.stepS,
    atMs: row.at.getTime(),
    delivered: row.delivered_count,
    failed: row.failed_count,
    attempts: row.attempt_count,
    errors: row.error_counts,
    latencies: row.latency_counts,
  }))
}
