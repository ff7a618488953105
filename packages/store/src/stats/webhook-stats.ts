import { typeIdToUuid } from '@ariftly/events'
import { defineRow, plain, time, typeId } from '../define-row.ts'
import type { Queryable } from '../queryable.ts'
import type { WebhookFigures } from './webhook-figures.ts'

const statsRow = defineRow('s', {
  webhookId: typeId('whk'),
  stepS: plain<WebhookFigures['stepS']>(),
  atMs: time(),
  delivered: plain<number>({ name: 'delivered_count' }),
  failed: plain<number>({ name: 'failed_count' }),
  attempts: plain<number>({ name: 'attempt_count' }),
  errors: plain<readonly number[]>({ name: 'error_counts' }),
  latencies: plain<readonly number[]>({ name: 'latency_counts' }),
})

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
  const { rows } = await db.query(
    `SELECT ${statsRow.columns} FROM webhook_stats s
      WHERE webhook_id = $1 AND step_s = $2 AND at >= $3
        AND EXISTS (SELECT FROM webhooks WHERE id = $1 AND tenant_id = $4)
      ORDER BY at`,
    [typeIdToUuid('whk', o.webhookId), o.stepS, new Date(o.fromMs), o.tenant],
  )
  return rows.map(statsRow.read)
}

/**
 * Deletes what no window reaches any more: minutes after 3 hours, quarters of an hour after 8 days; at most `limit` rows.
 * Returns how many. By index webhook_stats_age.
 */
export async function deleteExpiredStats(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM webhook_stats
      WHERE (webhook_id, step_s, at) IN (
              SELECT webhook_id, step_s, at FROM webhook_stats WHERE step_s = 60 AND at < history_now() - interval '3 hours'
              UNION ALL
              SELECT webhook_id, step_s, at FROM webhook_stats WHERE step_s = 900 AND at < history_now() - interval '8 days'
              LIMIT $1)`,
    [o.limit],
  )
  return rowCount ?? 0
}

/** Forgets workers that have added no statistics for 8 days; returns how many. Reads the table, which has a row a process. */
export async function deleteExpiredStatsWriters(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(`DELETE FROM webhook_stats_writers WHERE written_at < now() - interval '8 days'`)
  return rowCount ?? 0
}
