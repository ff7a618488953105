import type { Queryable } from '../queryable.ts'

/** Whether a tenant has or had a key, of any state. The table of keys is read when it has none. */
export async function tenantEverHadKey(db: Queryable, tenant: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM api_keys WHERE tenant_id = $1 LIMIT 1', [tenant])
  return rowCount !== 0
}
