import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Puts deliveries whose lease has ended (their job was lost, or their worker died or hangs) back to `pending`, due now,
 * under a new attempt number: whatever the old job still does is refused by its guard. Rows that another transaction is
 * just finishing are passed over. Answers the webhooks and how many deliveries each. By index deliveries_leased.
 */
export async function releaseExpiredLeases(
  db: Queryable,
  o: { readonly limit: number },
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ webhook_id: string }>(
    `UPDATE deliveries
        SET state = 'pending', attempt = attempt + 1, due_at = now(), lease_until = NULL, probe = false
      WHERE id = ANY (ARRAY(
              SELECT id FROM deliveries
               WHERE state IN ('queued', 'attempting') AND lease_until < now()
               LIMIT $1
                 FOR UPDATE SKIP LOCKED))
        AND state IN ('queued', 'attempting') AND lease_until < now()
      RETURNING webhook_id`,
    [o.limit],
  )
  const released = new Map<string, number>()
  for (const row of rows) {
    const webhookId = uuidToTypeId('whk', row.webhook_id)
    released.set(webhookId, (released.get(webhookId) ?? 0) + 1)
  }
  return released
}
