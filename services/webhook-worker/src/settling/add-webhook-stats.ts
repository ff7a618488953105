import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared, type Queryable } from '@ariftly/store'
import { isWebhookKept } from '@ariftly/store/tenants'
import type { WebhookFigures } from '@ariftly/store/stats'

/** Figures that are added together, once however often they are sent. */
export interface StatsBatch {
  /** UUID of the process that counted them. */
  readonly workerId: string
  /** Higher than that of the process's batch before, which was added. */
  readonly number: number
  /** Each stretch of a webhook at most once. */
  readonly figures: readonly WebhookFigures[]
}

/**
 * Adds figures to the stored ones, except for deleted webhooks and those of deleted tenants. A batch that was added before, or is being added, changes nothing: its number is
 * written with it, to a row that only this worker's batches lock. Rows are locked in one order, so that workers do not wait for each other in a circle. By
 * primary keys.
 */
export async function addWebhookStats(db: Queryable, { workerId, number, figures }: StatsBatch): Promise<void> {
  if (figures.length === 0) return
  await db.query(
    prepared(
      `WITH is_new AS (
         INSERT INTO webhook_stats_writers AS w (worker_id, batch) VALUES ($9, $10)
         ON CONFLICT (worker_id) DO UPDATE SET batch = excluded.batch, written_at = now() WHERE w.batch < excluded.batch
         RETURNING true)
       INSERT INTO webhook_stats AS s (webhook_id, step_s, at, delivered_count, failed_count, attempt_count, error_counts,
                                       latency_counts)
       SELECT webhook_id, step_s, to_timestamp(at_ms / 1000), delivered, failed, attempts, errors::integer[],
              latencies::integer[]
         FROM unnest($1::uuid[], $2::int[], $3::float8[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[])
                AS f (webhook_id, step_s, at_ms, delivered, failed, attempts, errors, latencies)
        WHERE EXISTS (SELECT FROM is_new)
          AND ${isWebhookKept('f.webhook_id', '$1')}
        ORDER BY webhook_id, step_s, at_ms
       ON CONFLICT (webhook_id, step_s, at) DO UPDATE
          SET delivered_count = s.delivered_count + excluded.delivered_count,
              failed_count = s.failed_count + excluded.failed_count,
              attempt_count = s.attempt_count + excluded.attempt_count,
              error_counts = add_counts(s.error_counts, excluded.error_counts),
              latency_counts = add_counts(s.latency_counts, excluded.latency_counts)`,
      [
        plainArray(figures.map((one) => typeIdToUuid('whk', one.webhookId))),
        plainArray(figures.map((one) => one.stepS)),
        plainArray(figures.map((one) => one.atMs)),
        plainArray(figures.map((one) => one.delivered)),
        plainArray(figures.map((one) => one.failed)),
        plainArray(figures.map((one) => one.attempts)),
        figures.map((one) => plainArray(one.errors)),
        figures.map((one) => plainArray(one.latencies)),
        workerId,
        number,
      ],
    ),
  )
}
