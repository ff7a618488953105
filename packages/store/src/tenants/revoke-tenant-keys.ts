import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import type { Transaction } from '../queryable.ts'
import { recordTenantChange } from './record-tenant-change.ts'

/**
 * Revokes up to `keysMax` keys of a tenant that is being deleted, in the caller's transaction, which ends at once: it holds the feed's
 * lock. Caches refuse the tenant already; one entry of the feed after the last key makes them look up that the keys are revoked. By index
 * api_keys_tenant.
 */
export async function revokeTenantKeys(
  tx: Transaction,
  o: { readonly tenant: string; readonly keysMax: number },
): Promise<void> {
  await lockApiKeyChanges(tx)
  await tx.query(
    `WITH live AS (
       SELECT id FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL ORDER BY tenant_id, id LIMIT $2)
     UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM live) AND revoked_at IS NULL`,
    [o.tenant, o.keysMax],
  )
  const { rowCount: left } = await tx.query(
    'SELECT FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL LIMIT 1',
    [o.tenant],
  )
  if (left === 0) await recordTenantChange(tx, o.tenant, 'deleted')
}
