import type { Queryable } from '@ariftly/store'

/**
 * The time in the newest event id of each tenant, epoch milliseconds; -Infinity for a tenant without events. By primary key, one
 * probe a week and tenant.
 */
export async function newestEventTimes(
  db: Queryable,
  tenants: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ tenant: string; ms: number | null }>({
    name: 'streams-newest-event-times',
    text: `SELECT asked.tenant_id AS tenant, uuid_v7_ms(newest.id)::float8 AS ms
             FROM unnest($1::text[]) AS asked (tenant_id)
             LEFT JOIN LATERAL (
               SELECT e.id FROM events e WHERE e.tenant_id = asked.tenant_id ORDER BY e.id DESC LIMIT 1) newest ON true`,
    values: [tenants],
  })
  return new Map(rows.map(({ tenant, ms }) => [tenant, ms ?? Number.NEGATIVE_INFINITY]))
}
