import { uuidToTypeId } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { isServed } from '../tenants/is-served.ts'
import { NEXT_PROBE_AT } from './next-probe-at.ts'
import { PENDING_WEBHOOKS } from './pending-webhooks.ts'
import { NEXT_TOKEN_MS } from './rate-tokens.ts'

/** A webhook with pending deliveries. */
export interface DueWebhook {
  readonly webhookId: string
  readonly tenant: string
  readonly ordering: 'none' | 'task'
  /** Until its next delivery or probe may be sent, its rate limit included, in ms; 0 when that is now. */
  readonly dueInMs: number
}

/**
 * Every enabled webhook of a tenant that is served that has pending deliveries, and when the scheduler is to look at it next.
 * It jumps from webhook to webhook in
 * the index deliveries_due, so its cost is by webhooks with pending deliveries, not by deliveries.
 */
export async function readDueWebhooks(db: Queryable): Promise<readonly DueWebhook[]> {
  const { rows } = await db.query<{
    webhook_id: string
    tenant_id: string
    ordering: 'none' | 'task'
    due_in_ms: number
  }>(
    prepared(
      `WITH RECURSIVE ${PENDING_WEBHOOKS}
     SELECT pending.webhook_id, w.tenant_id, w.ordering,
            greatest(extract(epoch FROM coalesce(${NEXT_PROBE_AT}, pending.due_at) - now()) * 1000, ${NEXT_TOKEN_MS})::float8
              AS due_in_ms
       FROM pending
       JOIN webhooks w ON w.id = pending.webhook_id
       JOIN webhook_endpoints e ON e.webhook_id = pending.webhook_id
      WHERE w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')}`,
      [],
    ),
  )
  return rows.map((row) => ({
    webhookId: uuidToTypeId('whk', row.webhook_id),
    tenant: row.tenant_id,
    ordering: row.ordering,
    dueInMs: row.due_in_ms,
  }))
}
