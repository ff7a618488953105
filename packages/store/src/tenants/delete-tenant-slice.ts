import type { Transaction } from '../queryable.ts'

/** What {@link deleteTenantSlice} has done. `taken`: another process works on the tenant, or has finished. */
export type TenantSlice =
  | { readonly type: 'taken' }
  | {
      readonly type: 'deleted'
      /** 0: none was left when the slice began. */
      readonly rows: number
      /**
       * Whether every transaction has ended that may write without knowing of the recorded ends of the log. A slice of 0
       * rows then says that nothing is left, and that nothing comes any more.
       */
      readonly settled: boolean
    }

/**
 * Deletes about `rowsMax` rows of a tenant that is being deleted, in the caller's transaction, which ends at once: it holds the
 * tenant's row. Indexes: see the function `delete_tenant_slice`.
 */
export async function deleteTenantSlice(
  tx: Transaction,
  { tenant, rowsMax }: { readonly tenant: string; readonly rowsMax: number },
): Promise<TenantSlice> {
  // Before the rows are looked for: a transaction that ends in between has been counted as open.
  const { rows: locked } = await tx.query<{ settled: boolean }>(
    `SELECT log_ends_xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
       FROM tenants WHERE id = $1 AND state = 'deleting' FOR UPDATE SKIP LOCKED`,
    [tenant],
  )
  const [row] = locked
  if (row === undefined) return { type: 'taken' }
  const { rows } = await tx.query<{ removed: number }>('SELECT delete_tenant_slice($1, $2) AS removed', [
    tenant,
    rowsMax,
  ])
  const removed = rows[0]?.removed ?? 0
  await tx.query('UPDATE tenants SET deleted_count = deleted_count + $2, updated_at = now() WHERE id = $1', [
    tenant,
    removed,
  ])
  return { type: 'deleted', rows: removed, settled: row.settled }
}
