import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { isServed } from '../tenants/is-served.ts'
import { NEXT_PROBE_AT } from './next-probe-at.ts'
import { NEXT_TOKEN_MS, RATE_TOKENS } from './rate-tokens.ts'

/** The state of an endpoint whose row this transaction holds. */
export interface LockedEndpoint {
  readonly webhookId: string
  readonly tenant: string
  readonly ordering: 'none' | 'task'
  /** Deliveries that the webhook's `rate_limit` allows now; null without a limit. */
  readonly tokens: number | null
  /** Until there is one; 0 while there is, and without a limit. */
  readonly nextTokenMs: number
  readonly consecutiveFailures: number
  /** How long the last attempt took; null before the first. */
  readonly lastAttemptMs: number | null
  /** `open`; or failing, and then whether its next probe is due. */
  readonly gate: 'open' | 'probe_due' | 'shut'
}

/**
 * Locks the endpoints of these webhooks until the transaction ends. Left out are those that another scheduler holds (it serves
 * them), and webhooks that are disabled, deleted or of a tenant that is not served (their deliveries wait, or are cancelled).
 * By primary key.
 */
export async function lockEndpoints(
  tx: Queryable,
  o: { readonly webhookIds: readonly string[] },
): Promise<readonly LockedEndpoint[]> {
  const { rows } = await tx.query<{
    webhook_id: string
    tenant_id: string
    ordering: 'none' | 'task'
    tokens: number | null
    next_token_ms: number
    consecutive_failures: number
    last_attempt_ms: number | null
    gate: 'open' | 'probe_due' | 'shut'
  }>(
    prepared(
      `SELECT e.webhook_id, e.tenant_id, w.ordering, e.consecutive_failures, e.last_attempt_ms,
            CASE WHEN e.next_probe_at IS NULL THEN 'open' WHEN ${NEXT_PROBE_AT} <= now() THEN 'probe_due' ELSE 'shut' END AS gate,
            CASE WHEN w.rate_limit IS NOT NULL
                 THEN floor(${RATE_TOKENS})::int
                 END AS tokens,
            ${NEXT_TOKEN_MS} AS next_token_ms
       FROM webhook_endpoints e
       JOIN webhooks w ON w.id = e.webhook_id
      WHERE e.webhook_id = ANY ($1::uuid[]) AND w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')}
      ORDER BY e.webhook_id
        FOR UPDATE OF e SKIP LOCKED`,
      [plainArray(o.webhookIds.map((id) => typeIdToUuid('whk', id)))],
    ),
  )
  return rows.map((row) => ({
    webhookId: uuidToTypeId('whk', row.webhook_id),
    tenant: row.tenant_id,
    ordering: row.ordering,
    tokens: row.tokens,
    nextTokenMs: row.next_token_ms,
    consecutiveFailures: row.consecutive_failures,
    lastAttemptMs: row.last_attempt_ms,
    gate: row.gate,
  }))
}
