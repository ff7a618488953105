import { typeIdToUuid } from '@ariftly/events'
import { defineRow, plain, tenant, typeId, type RowOf, plainArray, prepared, type Queryable } from '@ariftly/store'
import { isServed } from '@ariftly/store/tenants'
import { NEXT_PROBE_AT, NEXT_TOKEN_MS, RATE_TOKENS } from './endpoint-times.ts'

const endpointRow = defineRow('e', {
  webhookId: typeId('whk'),
  tenant,
  ordering: plain<'none' | 'task'>({ sql: 'w.ordering' }),
  /** Deliveries that the webhook's `rate_limit` allows now; null without a limit. */
  tokens: plain<number | null>({ sql: `CASE WHEN w.rate_limit IS NOT NULL THEN floor(${RATE_TOKENS})::int END` }),
  /** Until there is one; 0 while there is, and without a limit. */
  nextTokenMs: plain<number>({ name: 'next_token_ms', sql: NEXT_TOKEN_MS }),
  consecutiveFailures: plain<number>(),
  /** How long the last attempt took; null before the first. */
  lastAttemptMs: plain<number | null>({ name: 'last_attempt_ms' }),
  /** `open`; or failing, and then whether its next probe is due. */
  gate: plain<'open' | 'probe_due' | 'shut'>({
    sql: `CASE WHEN e.next_probe_at IS NULL THEN 'open' WHEN ${NEXT_PROBE_AT} <= now() THEN 'probe_due' ELSE 'shut' END`,
  }),
})

/** The state of an endpoint whose row this transaction holds. */
export type LockedEndpoint = RowOf<typeof endpointRow>

/**
 * Locks the endpoints of these webhooks until the transaction ends. Left out are webhooks that another scheduler holds (it serves
 * them), and webhooks that are disabled, deleted or of a tenant that is not served (their deliveries wait, or are cancelled).
 * By primary key.
 */
export async function lockEndpoints(
  tx: Queryable,
  o: { readonly webhookIds: readonly string[] },
): Promise<readonly LockedEndpoint[]> {
  const { rows } = await tx.query(
    prepared(
      `SELECT ${endpointRow.columns}
       FROM webhook_endpoints e
       JOIN webhooks w ON w.id = e.webhook_id
      WHERE e.webhook_id = ANY ($1::uuid[]) AND w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')}
      ORDER BY e.webhook_id
        FOR UPDATE OF e SKIP LOCKED`,
      [plainArray(o.webhookIds.map((id) => typeIdToUuid('whk', id)))],
    ),
  )
  return rows.map(endpointRow.read)
}
