import type { Pool } from '@ariftly/store'

/** For each table with tenants, the number of a tenant's rows and a hash over all of their columns. */
export type TenantState = Readonly<Record<string, { readonly rows: number; readonly hash: string }>>

/** API keys without the time of their last use, which is written some seconds after it. */
const KEYS = '(SELECT (jsonb_populate_record(k, \'{"last_used_at":null}\')).* FROM api_keys k)'

/** Reads the state of a tenant from every table with a tenant column, future tables included. */
export async function readTenantState(admin: Pool, tenant: string): Promise<TenantState> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attname = 'tenant_id' ORDER BY 1`,
  )
  const entries = tables.map(async ({ name }) => {
    const { rows } = await admin.query<{ rows: number; hash: string }>(
      `SELECT count(*)::int AS rows, md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) AS hash
         FROM (SELECT * FROM ${name === 'api_keys' ? KEYS : name}) t WHERE tenant_id = $1`,
      [tenant],
    )
    return [name, rows[0] ?? { rows: 0, hash: '' }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}
