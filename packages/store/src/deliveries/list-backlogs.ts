import { defineRow, plain, typeId, tenant, type RowOf } from '../define-row.ts'
import type { Queryable } from '../queryable.ts'
import { UNDER_WAY } from './delivery-state.ts'

const backlogRow = defineRow('u', {
  webhookId: typeId('whk'),
  tenant,
  /** `enabled`, `failing` (probed one at a time), or why it is disabled. */
  standing: plain<'enabled' | 'failing' | 'manual' | 'gone' | 'failures'>(),
  pending: plain<number>(),
  due: plain<number>(),
  queued: plain<number>(),
  attempting: plain<number>(),
  consecutiveFailures: plain<number>(),
  /** Age of its oldest unfinished delivery, in seconds; null without one. */
  oldestS: plain<number | null>(),
})

/** A webhook as operators see it. */
export type WebhookBacklog = RowOf<typeof backlogRow>

/** The webhooks with the most unfinished deliveries, at most `limit`. Reads every unfinished delivery, by `deliveries_ordering`. */
export async function listBacklogs(db: Queryable, o: { readonly limit: number }): Promise<readonly WebhookBacklog[]> {
  const { rows } = await db.query(
    `WITH unfinished AS (
       SELECT webhook_id, count(*) FILTER (WHERE state = 'pending')::int AS pending,
              count(*) FILTER (WHERE state = 'pending' AND due_at <= now())::int AS due,
              count(*) FILTER (WHERE state = 'queued' AND NOT ${UNDER_WAY})::int AS queued,
              count(*) FILTER (WHERE state = 'queued' AND ${UNDER_WAY})::int AS attempting,
              extract(epoch FROM now() - min(created_at))::float8 AS oldest_s
         FROM deliveries WHERE state IN ('pending', 'queued') GROUP BY webhook_id)
     SELECT u.*, w.tenant_id, e.consecutive_failures,
            coalesce(w.disabled_reason, CASE WHEN e.next_probe_at IS NULL THEN 'enabled' ELSE 'failing' END) AS standing
       FROM unfinished u
       JOIN webhooks w ON w.id = u.webhook_id
       JOIN webhook_endpoints e ON e.webhook_id = u.webhook_id
      ORDER BY u.pending + u.queued + u.attempting DESC, u.webhook_id
      LIMIT $1`,
    [o.limit],
  )
  return rows.map(backlogRow.read)
}
