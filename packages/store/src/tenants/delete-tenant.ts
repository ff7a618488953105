import type { Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import { recordTenantChange } from './record-tenant-change.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantRow } from './tenant-row.ts'

/** What {@link deleteTenant} has done. `absent`: the tenant was deleted before, and nothing was made in it since. */
export type DeleteTenantOutcome =
  { readonly type: 'started' | 'running'; readonly tenant: TenantRow } | { readonly type: 'absent' }

/**
 * Begins the deletion of a tenant, put or not, in the caller's transaction: its keys are revoked and its webhooks deleted with it.
 * The data follows in slices ({@link deleteTenantSlice}). By primary key and the indexes by tenant.
 */
export async function deleteTenant(tx: Transaction, id: string): Promise<DeleteTenantOutcome> {
  await lockApiKeyChanges(tx)
  const before = await tx.query<TenantColumns>(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = $1 FOR UPDATE`, [id])
  const tenant = before.rows[0] === undefined ? undefined : toTenantRow(before.rows[0])
  if (tenant?.state === 'deleting') return { type: 'running', tenant }
  if (tenant?.state === 'deleted' && !(await hasKeys(tx, id))) return { type: 'absent' }
  const { rows } = await tx.query<TenantColumns>(
    `INSERT INTO tenants (id, state, refused_at) VALUES ($1, 'deleting', now())
     ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, refused_at = excluded.refused_at, updated_at = excluded.updated_at, deleted_count = 0,
            log_ends_read = 0, log_ends_xid = NULL
     RETURNING ${TENANT_COLUMNS}`,
    [id],
  )
  await recordTenantChange(tx, id, 'deleting')
  await tx.query(
    `WITH revoked AS (UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND revoked_at IS NULL RETURNING id)
     INSERT INTO api_key_changes (api_key_id, kind) SELECT id, 'revoked' FROM revoked ORDER BY id`,
    [id],
  )
  await tx.query(
    'UPDATE webhooks SET deleted_at = now(), updated_at = now() WHERE tenant_id = $1 AND deleted_at IS NULL',
    [id],
  )
  const [row] = rows
  if (row === undefined) throw new Error('An upsert has answered no row.')
  return { type: 'started', tenant: toTenantRow(row) }
}

async function hasKeys(tx: Transaction, tenant: string): Promise<boolean> {
  const { rowCount } = await tx.query('SELECT FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL LIMIT 1', [
    tenant,
  ])
  return rowCount !== 0
}
