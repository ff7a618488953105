import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** A deletion that is under way. */
export interface TenantDeletion {
  readonly tenant: string
  /** Whether it has keys that are not revoked. */
  readonly hasKeys: boolean
}

/** The deletion whose turn was longest ago; undefined when there is none. By indexes tenants_deleting and api_keys_tenant. */
export async function nextTenantDeletion(db: Queryable): Promise<TenantDeletion | undefined> {
  const { rows } = await db.query<{ id: string; has_keys: boolean }>(
    prepared(
      `SELECT id, EXISTS (SELECT FROM api_keys k WHERE k.tenant_id = t.id AND k.revoked_at IS NULL) AS has_keys
         FROM tenants t WHERE state = 'deleting' ORDER BY updated_at LIMIT 1`,
      [],
    ),
  )
  const [row] = rows
  return row === undefined ? undefined : { tenant: row.id, hasKeys: row.has_keys }
}
