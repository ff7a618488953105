import { idBounds, type Queryable } from '@ariftly/store'
import { backlogOf, webhookRow, type WebhookRow } from '@ariftly/store/webhooks'

/** As many as 100 webhooks can have, which is what a tenant may have by default: its pages are whole. */
const COUNTED_MAX = 1_000_000

/**
 * A page of a tenant's webhooks, newest first, from below `cursorId`. It ends early, with `hasMore`, once it has counted
 * `countedMax` pending deliveries: none may follow then. By index `webhooks_tenant` and, for their backlogs,
 * `deliveries_unfinished`.
 */
export async function listWebhooks(
  db: Queryable,
  o: { readonly tenant: string; readonly cursorId?: string; readonly limit: number; readonly countedMax?: number },
): Promise<{ readonly webhooks: readonly WebhookRow[]; readonly hasMore: boolean }> {
  const { high } = idBounds('whk', { ...o, order: 'desc' })
  const { rows } = await db.query<{ readonly ended: boolean }>(PAGE, [
    o.tenant,
    high,
    o.limit + 1,
    o.countedMax ?? COUNTED_MAX,
  ])
  const hasMore = rows.length > o.limit || rows.at(-1)?.ended === true
  return { webhooks: rows.slice(0, o.limit).map(webhookRow.read), hasMore }
}

// Only webhooks_tenant has the order. One webhook after another, as long as the backlogs before it are small enough together.
const PAGE = `
  WITH RECURSIVE backlog AS (
    SELECT $2::uuid AS webhook_id, 0::bigint AS pending_count, NULL::timestamptz AS oldest_pending_at,
           0 AS n, 0::bigint AS counted
     UNION ALL
    SELECT w.id, counting.pending_count, counting.oldest_pending_at,
           backlog.n + 1, backlog.counted + counting.pending_count
      FROM backlog
     CROSS JOIN LATERAL (
           SELECT id FROM webhooks
            WHERE (tenant_id, id) < ($1, backlog.webhook_id) AND tenant_id >= $1 AND deleted_at IS NULL
            ORDER BY tenant_id DESC, id DESC LIMIT 1) AS w
     CROSS JOIN LATERAL (${backlogOf('w.id')}) AS counting
     WHERE backlog.n < $3::int AND backlog.counted < $4::bigint
  )
  SELECT ${webhookRow.columns}, backlog.counted >= $4::bigint AS ended
    FROM backlog
    JOIN webhooks w ON w.id = backlog.webhook_id
    LEFT JOIN webhook_endpoints e ON e.webhook_id = w.id
   WHERE backlog.n > 0
   ORDER BY w.id DESC`
