import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Disables a webhook: `gone` (its endpoint answered 410), `failures` (days of nothing but failures) or `manual` (an operator).
 * Its pending deliveries wait. False when it was disabled or deleted already. By primary key.
 */
export async function disableWebhook(
  db: Queryable,
  o: { readonly webhookId: string; readonly reason: 'gone' | 'failures' | 'manual' },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks
        SET enabled = false, disabled_reason = $2, updated_at = now()
      WHERE id = $1 AND enabled AND deleted_at IS NULL`,
    [typeIdToUuid('whk', o.webhookId), o.reason],
  )
  return rowCount === 1
}
