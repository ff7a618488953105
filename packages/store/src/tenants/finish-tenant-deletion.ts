import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import type { Transaction } from '../queryable.ts'

/**
 * Ends a deletion: the tenant is gone until it is put again. Processes look its revoked keys up once more, and know them no
 * longer. False when another process has ended it. By primary key; the keys are few, and are found by a scan.
 */
export async function finishTenantDeletion(tx: Transaction, tenant: string): Promise<boolean> {
  await lockApiKeyChanges(tx)
  const { rowCount } = await tx.query(
    `UPDATE tenants SET state = 'deleted', deleted_at = now(), updated_at = now(),
            events_per_s = NULL, streams = NULL, webhooks = NULL, api_keys = NULL
      WHERE id = $1 AND state = 'deleting' AND log_ends_read > 0`,
    [tenant],
  )
  if (rowCount === 0) return false
  await tx.query(
    `INSERT INTO api_key_changes (api_key_id, kind)
     SELECT k.id, 'revoked' FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
      WHERE k.tenant_id = $1 AND k.revoked_at >= t.refused_at ORDER BY k.id`,
    [tenant],
  )
  return true
}
