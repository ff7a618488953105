import { lockApiKeyChanges } from '@ariftly/store/api-keys'
import { callFunction, prepared, type Queryable, type Transaction } from '@ariftly/store'
import { recordTenantChange } from '@ariftly/store/tenants'

/**
 * Result of {@link deleteTenantSlice} or {@link revokeTenantKeys}. `taken`: another process works on the tenant, or has finished. `waiting`: no rows are left,
 * but open transactions that do not see the deletion may add some. `finished`: the tenant is deleted.
 */
export type TenantSlice =
  | { readonly type: 'taken' | 'waiting' }
  | { readonly type: 'finished'; readonly tenant: string }
  | { readonly type: 'deleted'; readonly rows: number }

/**
 * Deletes about `rowsMax` rows of a tenant that is being deleted, in the caller's short transaction: it holds the tenant's row.
 * Slices continue where the previous one ended. When all transactions that may not see the deletion have ended, a last scan
 * starts at the first row, and when it finds nothing the tenant is deleted. Indexes: see the function `delete_tenant_rows`.
 */
export async function deleteTenantSlice(
  tx: Transaction,
  o: { readonly tenant: string; readonly rowsMax: number },
): Promise<TenantSlice> {
  // Before the scan: a transaction that ends in between has been counted as open.
  const { rows: locked } = await tx.query<{ settled: boolean | null }>(
    `SELECT refused_xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
       FROM tenants WHERE id = $1 AND state = 'deleting' FOR UPDATE SKIP LOCKED`,
    [o.tenant],
  )
  const [row] = locked
  if (row === undefined) return { type: 'taken' }
  const settled = row.settled === true
  const deleteRows = (fromStart: boolean): Promise<number> =>
    callFunction(tx, 'delete_tenant_rows', [o.tenant, o.rowsMax, fromStart])
  let rows = await deleteRows(false)
  if (rows === 0 && settled) rows = await deleteRows(true)
  if (rows === 0 && settled) {
    await finish(tx, o.tenant)
    return { type: 'finished', tenant: o.tenant }
  }
  // A number above the own one is of a database that this one was copied from by dump and restore.
  await tx.query(
    `UPDATE tenants SET deleted_count = deleted_count + $2, updated_at = now(),
            refused_xid = least(refused_xid, pg_current_xact_id()) WHERE id = $1`,
    [o.tenant, rows],
  )
  return rows === 0 ? { type: 'waiting' } : { type: 'deleted', rows }
}

async function finish(tx: Transaction, tenant: string): Promise<void> {
  await tx.query(
    `UPDATE tenants SET state = 'deleted', deleted_at = now(), updated_at = now(),
            events_per_s = NULL, streams = NULL, webhooks = NULL, api_keys = NULL
      WHERE id = $1`,
    [tenant],
  )
}

/** The end of `api_keys_deleted_to`. */
const ALL_KEYS = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** A deletion that is under way. */
export interface TenantDeletion {
  readonly tenant: string
  /** Whether it may have keys that are not revoked. */
  readonly hasKeys: boolean
}

/** The deletion whose last slice was longest ago; undefined when there is none. By index tenants_deleting. */
export async function nextTenantDeletion(db: Queryable): Promise<TenantDeletion | undefined> {
  const { rows } = await db.query<{ id: string; has_keys: boolean }>(
    prepared(
      `SELECT id, api_keys_deleted_to IS DISTINCT FROM $1 AS has_keys
         FROM tenants WHERE state = 'deleting' ORDER BY updated_at LIMIT 1`,
      [ALL_KEYS],
    ),
  )
  const [row] = rows
  return row === undefined ? undefined : { tenant: row.id, hasKeys: row.has_keys }
}

/** Counts a slice that failed as the turn of its tenant, so that those of others are next. By primary key. */
export async function passTenantDeletion(db: Queryable, o: Pick<TenantDeletion, 'tenant'>): Promise<void> {
  await db.query(`UPDATE tenants SET updated_at = now() WHERE id = $1 AND state = 'deleting'`, [o.tenant])
}

/**
 * Revokes up to `keysMax` keys of a tenant that is being deleted and takes their content away, in the caller's short transaction:
 * it holds the feed's lock. Slices continue where the previous one ended. Caches refuse the tenant already; one entry of the feed
 * after the last key makes them look up the revoked keys. By index api_keys_tenant, keys by primary key.
 */
export async function revokeTenantKeys(
  tx: Transaction,
  o: { readonly tenant: string; readonly keysMax: number },
): Promise<TenantSlice> {
  await lockApiKeyChanges(tx)
  // An array, and not a join: the planner would read all keys of all tenants for that.
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE api_keys SET revoked_at = now(), name = '', last_used_at = NULL
      WHERE id = ANY (ARRAY(
        SELECT id FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL
           AND id > (SELECT coalesce(api_keys_deleted_to, '00000000-0000-0000-0000-000000000000')
                       FROM tenants WHERE id = $1 AND state = 'deleting')
         ORDER BY tenant_id, id LIMIT $2))
     RETURNING id`,
    [o.tenant, o.keysMax],
  )
  const isLast = rows.length < o.keysMax
  const deletedTo = isLast ? ALL_KEYS : rows.reduce((last, { id }) => (id > last ? id : last), '')
  if (isLast) await recordTenantChange(tx, o.tenant, 'deleted')
  await tx.query(
    `UPDATE tenants SET api_keys_deleted_to = $2, deleted_count = deleted_count + $3, updated_at = now()
      WHERE id = $1 AND state = 'deleting'`,
    [o.tenant, deletedTo, rows.length],
  )
  return { type: 'deleted', rows: rows.length }
}
