import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Makes all that a webhook has pending due: asks for a redelivery of it, whose slices the webhook worker makes, and makes the next probe of a
 * failing endpoint due. Returns whether it is failing. The function is also called when a webhook's URL changes, when one is enabled, and when a
 * failing endpoint opens. It writes two rows at most, and no redelivery when nothing is due later. By primary key and index deliveries_due.
 */
export async function drainWebhook(db: Queryable, o: { readonly webhookId: string }): Promise<boolean> {
  const { rows } = await db.query<{ failing: boolean }>('SELECT drain_webhook($1) AS failing', [
    typeIdToUuid('whk', o.webhookId),
  ])
  return rows[0]?.failing === true
}

/**
 * Makes the next probes of those of these endpoints that are failing due, each 10 s after its last one at the earliest. With `skipLocked` the
 * endpoints that another transaction holds are left out. By primary key.
 */
export async function probeSoon(
  db: Queryable,
  o: { readonly webhookIds: readonly string[]; readonly skipLocked?: boolean },
): Promise<void> {
  await db.query(
    `UPDATE webhook_endpoints SET next_probe_at = soonest_probe(next_probe_at, probe_delay_ms)
      WHERE webhook_id = ANY (ARRAY(
              SELECT webhook_id FROM webhook_endpoints
               WHERE webhook_id = ANY ($1::uuid[]) AND soonest_probe(next_probe_at, probe_delay_ms) < next_probe_at
               ORDER BY webhook_id FOR UPDATE ${o.skipLocked === true ? 'SKIP LOCKED' : ''}))`,
    [o.webhookIds.map((id) => typeIdToUuid('whk', id))],
  )
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
