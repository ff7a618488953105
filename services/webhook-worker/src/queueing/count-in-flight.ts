import { prepared, type Queryable } from '@ariftly/store'

/** Deliveries that are queued or attempted, over all workers. */
export interface InFlight {
  /** Workers that are alive. */
  readonly workers: number
  readonly tenants: readonly { readonly tenant: string; readonly unhealthy: boolean; readonly count: number }[]
}

/**
 * Counts what is in flight by tenant and by the health of the endpoint: unhealthy is one whose last attempt failed or took more
 * than `slowMs`. By index deliveries_leased.
 */
export async function countInFlight(
  db: Queryable,
  o: { readonly slowMs: number; readonly deadMs: number },
): Promise<InFlight> {
  const { rows } = await db.query<{ workers: number; tenant_id: string | null; unhealthy: boolean; n: number }>(
    prepared(
      `WITH busy AS (
       SELECT tenant_id, webhook_id, count(*) AS n
         FROM deliveries WHERE state = 'queued' GROUP BY tenant_id, webhook_id),
     living AS (
       SELECT count(*)::int AS workers FROM webhook_workers WHERE beat_at >= clock_timestamp() - $2 * interval '1 ms'),
     tenants AS (
       SELECT busy.tenant_id, e.consecutive_failures > 0 OR coalesce(e.last_attempt_ms > $1, false) AS unhealthy,
              sum(busy.n)::int AS n
         FROM busy JOIN webhook_endpoints e ON e.webhook_id = busy.webhook_id
        GROUP BY 1, 2)
     SELECT living.workers, tenants.* FROM living LEFT JOIN tenants ON true`,
      [o.slowMs, o.deadMs],
    ),
  )
  const tenants = rows.flatMap(({ tenant_id: tenant, unhealthy, n: count }) =>
    tenant === null ? [] : [{ tenant, unhealthy, count }],
  )
  return { workers: rows[0]?.workers ?? 0, tenants }
}
