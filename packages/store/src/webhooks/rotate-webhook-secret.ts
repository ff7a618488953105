import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { toWebhookRow, WEBHOOK_COLUMNS, webhookSelect, type WebhookColumns, type WebhookRow } from './webhook-row.ts'

/**
 * Gives a webhook a new secret and returns the webhook as it was written. For `overlapMs` the old secret stands beside the
 * new one and signs too; with 0 it is gone at once. `under_way` while the overlap of an earlier rotation runs; `not_found`
 * if the tenant has no such webhook. By primary key.
 */
export async function rotateWebhookSecret(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string; readonly secret: Buffer; readonly overlapMs: number },
): Promise<WebhookRow | 'under_way' | 'not_found'> {
  const { rows } = await db.query<(WebhookColumns & { readonly rotated: true }) | { readonly rotated: false }>(
    `WITH webhook AS (
       SELECT id, previous_secret_until IS NULL OR previous_secret_until <= now() AS free
         FROM webhooks WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL
          FOR UPDATE),
     written AS (
       UPDATE webhooks w
          SET secret = $3, updated_at = now(),
              previous_secret = CASE WHEN $4::float8 > 0 THEN w.secret END,
              previous_secret_until = CASE WHEN $4::float8 > 0 THEN now() + $4::float8 * interval '1 ms' END
         FROM webhook WHERE w.id = webhook.id AND webhook.free
       RETURNING ${WEBHOOK_COLUMNS})
     SELECT shown.id IS NOT NULL AS rotated, shown.* FROM webhook LEFT JOIN (${webhookSelect('written')}) AS shown ON true`,
    [typeIdToUuid('whk', o.id), o.tenant, o.secret, o.overlapMs],
  )
  if (rows[0] === undefined) return 'not_found'
  return rows[0].rotated ? toWebhookRow(rows[0]) : 'under_way'
}
