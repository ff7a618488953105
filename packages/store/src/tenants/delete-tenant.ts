import type { Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import { recordTenantChange } from './record-tenant-change.ts'
import { tenantEverHadKey } from './tenant-ever-had-key.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantRow } from './tenant-row.ts'

/** What {@link deleteTenant} has done. `absent`: the tenant was deleted, or is unknown: it has no row and never had a key. */
export type DeleteTenantOutcome =
  { readonly type: 'started' | 'running'; readonly tenant: TenantRow } | { readonly type: 'absent' }

/**
 * Begins the deletion of a tenant, put or not, in the caller's transaction: from its commit on its keys are refused, and no
 * row of it is added by a transaction that begins later. Its webhooks are deleted with it. Keys and data follow in slices
 * ({@link revokeTenantKeys}, {@link deleteTenantSlice}). `evenUnknown`: also an id that has no row and never had a key. By
 * primary key and the indexes by tenant.
 */
export async function deleteTenant(
  tx: Transaction,
  id: string,
  { evenUnknown = false }: { readonly evenUnknown?: boolean } = {},
): Promise<DeleteTenantOutcome> {
  await lockApiKeyChanges(tx)
  const before = await tx.query<TenantColumns>(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = $1 FOR UPDATE`, [id])
  const tenant = before.rows[0] === undefined ? undefined : toTenantRow(before.rows[0])
  if (tenant?.state === 'deleting') return { type: 'running', tenant }
  if (tenant?.state === 'deleted') return { type: 'absent' }
  if (tenant === undefined && !evenUnknown && !(await tenantEverHadKey(tx, id))) return { type: 'absent' }
  const { rows } = await tx.query<TenantColumns>(
    `INSERT INTO tenants (id, state, refused_at) VALUES ($1, 'deleting', now())
     ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, refused_at = excluded.refused_at, updated_at = excluded.updated_at, deleted_count = 0
     RETURNING ${TENANT_COLUMNS}`,
    [id],
  )
  await recordTenantChange(tx, id, 'deleting')
  await tx.query(
    'UPDATE webhooks SET deleted_at = now(), updated_at = now() WHERE tenant_id = $1 AND deleted_at IS NULL',
    [id],
  )
  const [row] = rows
  if (row === undefined) throw new Error('An upsert has answered no row.')
  return { type: 'started', tenant: toTenantRow(row) }
}
