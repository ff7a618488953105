import type { Queryable } from '../queryable.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantRow } from './tenant-row.ts'

/** The last tenant of the page before. */
export interface TenantPlace {
  readonly createdAtMs: number
  readonly id: string
}

/**
 * Tenants that were put or deleted, newest first, from behind `place`: those in `state`, by default all but the deleted ones.
 * By the indexes tenants_created and tenants_deleted.
 */
export async function listTenants(
  db: Queryable,
  o: { readonly state?: TenantRow['state']; readonly place?: TenantPlace; readonly limit: number },
): Promise<readonly TenantRow[]> {
  const { rows } = await db.query<TenantColumns>(
    `SELECT ${TENANT_COLUMNS} FROM tenants
      WHERE (created_at, id) < ($1::timestamptz, $2::text) AND ${o.state === undefined ? `state <> 'deleted'` : 'state = $4'}
      ORDER BY created_at DESC, id DESC LIMIT $3`,
    [
      o.place === undefined ? 'infinity' : new Date(o.place.createdAtMs),
      o.place?.id ?? '',
      o.limit,
      ...(o.state === undefined ? [] : [o.state]),
    ],
  )
  return rows.map(toTenantRow)
}
