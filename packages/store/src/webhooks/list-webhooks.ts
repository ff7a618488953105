import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import { toWebhookRow, webhookSelect, type WebhookColumns, type WebhookRow } from './webhook-row.ts'

/** A page of a tenant's webhooks, newest first, from below `cursorId`. A range of `webhooks_tenant`. */
export async function listWebhooks(
  db: Queryable,
  o: { readonly tenant: string; readonly cursorId?: string; readonly limit: number },
): Promise<{ readonly webhooks: readonly WebhookRow[]; readonly hasMore: boolean }> {
  const { high } = idBounds('whk', { ...o, order: 'desc' })
  const { rows } = await db.query<WebhookColumns>(
    `${webhookSelect('webhooks')}
      WHERE w.tenant_id = $1 AND w.deleted_at IS NULL AND w.id < $2 ORDER BY w.id DESC LIMIT $3`,
    [o.tenant, high, o.limit + 1],
  )
  return { webhooks: rows.slice(0, o.limit).map(toWebhookRow), hasMore: rows.length > o.limit }
}
