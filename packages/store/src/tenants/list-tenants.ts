import type { Queryable } from '../queryable.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantRow } from './tenant-row.ts'

/** The last tenant of the page before. */
export interface TenantPlace {
  readonly createdAtMs: number
  readonly id: string
}

/** Tenants that were put and are not deleted, newest first, from behind `place`. By the index tenants_created. */
export async function listTenants(
  db: Queryable,
  o: { readonly place?: TenantPlace; readonly limit: number },
): Promise<readonly TenantRow[]> {
  const { rows } = await db.query<TenantColumns>({
    name: 'list-tenants',
    text: `SELECT ${TENANT_COLUMNS} FROM tenants
            WHERE (created_at, id) < ($1::timestamptz, $2::text) AND state <> 'deleted'
            ORDER BY created_at DESC, id DESC LIMIT $3`,
    values: [o.place === undefined ? 'infinity' : new Date(o.place.createdAtMs), o.place?.id ?? '', o.limit],
  })
  return rows.map(toTenantRow)
}
