import type { Queryable } from '../queryable.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantRow } from './tenant-row.ts'

/** A tenant that was put or deleted; undefined for one without a row, which is active with default limits. By primary key. */
export async function getTenant(db: Queryable, id: string): Promise<TenantRow | undefined> {
  const { rows } = await db.query<TenantColumns>({
    name: 'get-tenant',
    text: `SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = $1`,
    values: [id],
  })
  return rows[0] === undefined ? undefined : toTenantRow(rows[0])
}
