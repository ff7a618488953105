import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { toWebhookRow, webhookSelect, type WebhookColumns, type WebhookRow } from './webhook-row.ts'

/** One webhook of a tenant, or undefined (deleted ones too). `id` is a valid `whk_…`. By primary key. */
export async function getWebhook(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<WebhookRow | undefined> {
  const { rows } = await db.query<WebhookColumns>(
    `${webhookSelect('webhooks')} WHERE w.id = $1 AND w.tenant_id = $2 AND w.deleted_at IS NULL`,
    [typeIdToUuid('whk', o.id), o.tenant],
  )
  return rows[0] === undefined ? undefined : toWebhookRow(rows[0])
}
