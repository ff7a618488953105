/**
 * A member of a `WITH RECURSIVE`: `pending (webhook_id, due_at)`, every webhook that has pending deliveries with the first moment at which one is due. It
 * jumps from webhook to webhook in the index deliveries_due, so its cost is by such webhooks, not by deliveries.
 */
export const PENDING_WEBHOOKS = `pending AS (
       (SELECT webhook_id, due_at FROM deliveries WHERE state = 'pending' ORDER BY webhook_id, due_at LIMIT 1)
       UNION ALL
       SELECT next.webhook_id, next.due_at
         FROM pending
        CROSS JOIN LATERAL (
               SELECT webhook_id, due_at
                 FROM deliveries
                WHERE state = 'pending' AND webhook_id > pending.webhook_id
                ORDER BY webhook_id, due_at
                LIMIT 1) next)`
