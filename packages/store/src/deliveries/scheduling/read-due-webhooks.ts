import { defineRow, plain, tenant, typeId, type RowOf } from '../../define-row.ts'
import { prepared } from '../../prepared.ts'
import type { Queryable } from '../../queryable.ts'
import { isServed } from '../../tenants/deleted-tenants.ts'
import { NEXT_PROBE_AT, NEXT_TOKEN_MS } from './endpoint-times.ts'
import { PENDING_WEBHOOKS } from './pending-webhooks.ts'

const dueRow = defineRow('w', {
  webhookId: typeId('whk', { sql: 'w.id' }),
  tenant,
  ordering: plain<'none' | 'task'>(),
  /** Until its next delivery or probe may be sent, its rate limit included, in ms; 0 when that is now. */
  dueInMs: plain<number>({
    name: 'due_in_ms',
    sql: `greatest(extract(epoch FROM coalesce(${NEXT_PROBE_AT}, pending.due_at) - now()) * 1000, ${NEXT_TOKEN_MS})::float8`,
  }),
})

/** A webhook with pending deliveries. */
export type DueWebhook = RowOf<typeof dueRow>

/**
 * Every enabled webhook of a tenant that is served that has pending deliveries, and when the scheduler is to serve it next.
 * It jumps from webhook to webhook in
 * the index deliveries_due, so its cost is by webhooks with pending deliveries, not by deliveries.
 */
export async function readDueWebhooks(db: Queryable): Promise<readonly DueWebhook[]> {
  const { rows } = await db.query(
    prepared(
      `WITH RECURSIVE ${PENDING_WEBHOOKS}
     SELECT ${dueRow.columns}
       FROM pending
       JOIN webhooks w ON w.id = pending.webhook_id
       JOIN webhook_endpoints e ON e.webhook_id = pending.webhook_id
      WHERE w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')}`,
      [],
    ),
  )
  return rows.map(dueRow.read)
}
