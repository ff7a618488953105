import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Disables a webhook: `gone` (its endpoint answered 410), `failures` (days of nothing but failures) or `manual` (an operator).
 * With `endpointVersion` only while it is the version that was tried: an owner who has changed the URL or enabled the webhook
 * again since then is not overruled. Its pending deliveries wait. False when nothing was changed. By primary key.
 */
export async function disableWebhook(
  db: Queryable,
  o: {
    readonly webhookId: string
    readonly reason: 'gone' | 'failures' | 'manual'
    readonly endpointVersion?: number
  },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks
        SET enabled = false, disabled_reason = $2, updated_at = now()
      WHERE id = $1 AND enabled AND deleted_at IS NULL AND ($3::int IS NULL OR endpoint_version = $3)`,
    [typeIdToUuid('whk', o.webhookId), o.reason, o.endpointVersion ?? null],
  )
  return rowCount === 1
}
