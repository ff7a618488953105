import { backlogOf } from './webhook-row.ts'

/**
 * A member of a `WITH RECURSIVE`: `walked`, a first row for no webhook, then one for each that has unfinished deliveries, in the order of their ids.
 * It has `pending_count` and `oldest_pending_at`, `due_count` (what may be sent now) and `first_due_at` (of these); `n` is the
 * number of webhooks so far and `counted` that of their deliveries. At most `perWebhookMax` deliveries of a webhook are counted, and the
 * walk goes on from a row for as long as `goesOn`, SQL on `walked`, is true. It jumps from webhook to webhook in index
 * `deliveries_unfinished` and counts what is due in `deliveries_due`.
 */
export function walkBacklogs(perWebhookMax: number, goesOn = 'true'): string {
  return `walked AS (
    SELECT '00000000-0000-0000-0000-000000000000'::uuid AS webhook_id, 0::bigint AS pending_count, NULL::timestamptz AS oldest_pending_at,
           0::bigint AS due_count, NULL::timestamptz AS first_due_at, 0 AS n, 0::bigint AS counted
     UNION ALL
    SELECT next.webhook_id, backlog.pending_count, backlog.oldest_pending_at, due.due_count, due.first_due_at,
           walked.n + 1, walked.counted + backlog.pending_count
      FROM walked
     CROSS JOIN LATERAL (
           SELECT d.webhook_id FROM deliveries d
            WHERE d.state IN ('pending', 'queued') AND d.webhook_id > walked.webhook_id
            ORDER BY d.webhook_id, d.id LIMIT 1) AS next
     CROSS JOIN LATERAL (${backlogOf('next.webhook_id', perWebhookMax)}) AS backlog
     CROSS JOIN LATERAL (
           SELECT count(*) AS due_count, min(first.due_at) AS first_due_at
             FROM (SELECT d.due_at FROM deliveries d
                    WHERE d.state = 'pending' AND d.webhook_id = next.webhook_id AND d.due_at <= now()
                    ORDER BY d.due_at LIMIT ${perWebhookMax}) AS first) AS due
     WHERE ${goesOn})`
}
