import type { Queryable } from '../queryable.ts'

/** Whether a tenant has or had a key, of any state or removed. The table of keys is read when it has none. */
export async function tenantEverHadKey(db: Queryable, tenant: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM (SELECT FROM api_keys WHERE tenant_id = $1 LIMIT 1) keys
     UNION ALL
     SELECT FROM (SELECT FROM removed_api_key_hashes WHERE tenant_id = $1 LIMIT 1) hashes`,
    [tenant],
  )
  return rowCount !== 0
}
