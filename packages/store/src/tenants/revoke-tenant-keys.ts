import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import type { Transaction } from '../queryable.ts'

/**
 * Revokes up to `keysMax` keys of a tenant that is being deleted and writes them into the feed, in the caller's transaction,
 * which ends at once: it holds the feed's lock. By index api_keys_tenant.
 */
export async function revokeTenantKeys(
  tx: Transaction,
  o: { readonly tenant: string; readonly keysMax: number },
): Promise<void> {
  await lockApiKeyChanges(tx)
  await tx.query(
    `WITH live AS (
       SELECT id FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL ORDER BY tenant_id, id LIMIT $2),
     revoked AS (
       UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM live) AND revoked_at IS NULL RETURNING id)
     INSERT INTO api_key_changes (api_key_id, kind) SELECT id, 'revoked' FROM revoked ORDER BY id`,
    [o.tenant, o.keysMax],
  )
}
