import type { Transaction } from '../queryable.ts'

/** Where a tenant is: `active` and `suspended` follow each other, `deleting` ends in `deleted` for good. */
export type TenantState = 'active' | 'suspended' | 'deleting' | 'deleted'

/** A tenant with at most this many keys gets entries for them too, for processes of the previous release. */
const KEYS_MAX = 1000

/**
 * Announces a tenant's change to every process through the key feed, in the caller's transaction, which holds the feed's lock
 * (`lockApiKeyChanges`): its keys are looked up again, and if it has stopped their streams end. Keys with the scope `platform`
 * stop only when their tenant is deleted. Writes one entry for the tenant with any number of keys, then the previous release's
 * entries. By index api_keys_tenant.
 */
export async function recordTenantChange(tx: Transaction, tenant: string, state: TenantState): Promise<void> {
  await tx.query(
    `WITH live AS (
       SELECT id, scopes, expires_at FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL LIMIT $5 + 1)
     INSERT INTO api_key_changes (api_key_id, tenant_id, kind, ends_at)
     SELECT * FROM (
       SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id, $1, $2, NULL::timestamptz
       UNION ALL
       SELECT id, NULL, CASE WHEN $3 AND ($4 OR NOT 'platform' = ANY (scopes)) THEN 'suspended' ELSE 'updated' END, expires_at
         FROM live WHERE (SELECT count(*) FROM live) <= $5) entries
      ORDER BY id`,
    [tenant, kindOf(state), state !== 'active', state === 'deleting' || state === 'deleted', KEYS_MAX],
  )
}

function kindOf(state: TenantState): 'tenant_updated' | 'tenant_suspended' | 'tenant_deleted' {
  switch (state) {
    case 'active':
      return 'tenant_updated'
    case 'suspended':
      return 'tenant_suspended'
    case 'deleting':
    case 'deleted':
      return 'tenant_deleted'
  }
}
