import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { isStill } from './delivery-state.ts'

/**
 * Makes up to `limit` pending deliveries of a webhook that are due later due now, the earliest due first; answers how many.
 * Call it until it answers 0. By index deliveries_due.
 */
export async function drainWebhook(
  db: Queryable,
  o: { readonly webhookId: string; readonly limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE deliveries
        SET due_at = now()
      WHERE id = ANY (ARRAY(
              SELECT id FROM deliveries
               WHERE webhook_id = $1 AND state = 'pending' AND due_at > now()
               ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED))
        AND ${isStill(['pending'])} AND due_at > now()`,
    [typeIdToUuid('whk', o.webhookId), o.limit],
  )
  return rowCount ?? 0
}

/** Makes the next probe of a failing endpoint due now; false when it is not failing (or unknown). By primary key. */
export async function probeNow(db: Queryable, o: { readonly webhookId: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    'UPDATE webhook_endpoints SET next_probe_at = now() WHERE webhook_id = $1 AND next_probe_at IS NOT NULL',
    [typeIdToUuid('whk', o.webhookId)],
  )
  return rowCount === 1
}

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
