import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/**
 * The deleted tenants among `tenants`, and those being deleted: their records are not shown or stored. In a transaction that
 * inserts, call it after the first write, so that a deletion waits for that transaction. By primary key.
 */
export async function deletedTenants(db: Queryable, tenants: Iterable<string>): Promise<ReadonlySet<string>> {
  const asked = [...new Set(tenants)]
  if (asked.length === 0) return new Set()
  const { rows } = await db.query<{ id: string }>(
    prepared(`SELECT id FROM tenants WHERE id = ANY ($1::text[]) AND ${IS_DELETED}`, [asked]),
  )
  return new Set(rows.map(({ id }) => id))
}

/** SQL: whether a tenant is being deleted or was deleted; `state` of its row. */
const IS_DELETED = `state IN ('deleting', 'deleted')`

/**
 * SQL condition, for a single inserting statement: the tenant of `column` is not a deleted one (or being deleted) of the parameter
 * `tenants`. Evaluated once a statement, when its transaction has a number: see the function `deleted_tenants`.
 */
export function isNotDeleted(column: string, tenants: string): string {
  return `${column} <> ALL ((SELECT deleted_tenants(${tenants}::text[]))::text[])`
}

/** SQL condition, as {@link isNotDeleted}: the webhook of `column` and its tenant are not deleted; `ids` are all webhooks of the statement. */
export function isWebhookKept(column: string, ids: string): string {
  const tenants = `ARRAY(SELECT tenant_id FROM webhooks WHERE id = ANY (${ids}::uuid[]))`
  return `EXISTS (SELECT FROM webhooks w WHERE w.id = ${column} AND w.deleted_at IS NULL AND ${isNotDeleted('w.tenant_id', tenants)})`
}

/**
 * SQL: whether the tenant of this column is served. By the primary key of `tenants`, a look-up for each row: as a join it could be planned while no
 * tenant is deleted, and then read all of them for each row. Most tenants have no row.
 */
export function isServed(column: string): string {
  return `coalesce((SELECT t.state FROM tenants t WHERE t.id = ${column}), 'active') = 'active'`
}
