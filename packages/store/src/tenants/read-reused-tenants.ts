import { defineRow, plain, time, type RowOf } from '../define-row.ts'
import type { Queryable } from '../queryable.ts'

const reusedRow = defineRow('l', {
  tenant: plain<string>({ sql: 't.id' }),
  /** When the tenant that had the id before was deleted. */
  deletedAtMs: time({ sql: 't.deleted_at' }),
  partition: plain<number>(),
  /** Its records of the partition are below this offset. */
  endOffset: plain<number>(),
})

/** A tenant that has the id of a deleted one: up to 1.1.0 an id could be given again. */
export type ReusedTenant = RowOf<typeof reusedRow>

/**
 * The tenants that have the id of a deleted one, by partition of the topic's newest epoch. Also reads a schema that is older than
 * this code, or none. Reads the table, which is small.
 */
export async function readReusedTenants(db: Queryable, topic: string): Promise<readonly ReusedTenant[]> {
  const { rows: tables } = await db.query<{ exists: boolean }>(
    `SELECT to_regclass('public.tenant_log_ends') IS NOT NULL AS exists`,
  )
  if (tables[0]?.exists !== true) return []
  const { rows } = await db.query(
    `SELECT ${reusedRow.columns}
       FROM tenant_log_ends l JOIN tenants t ON t.id = l.tenant_id
      WHERE l.epoch = (SELECT max(epoch) FROM log_epochs WHERE topic = $1) AND t.deleted_at IS NOT NULL
        AND (t.state IN ('active', 'suspended')
             OR (t.state = 'deleted' AND EXISTS (
                   SELECT FROM api_keys k
                    WHERE k.tenant_id = t.id AND (k.revoked_at IS NULL OR k.revoked_at > t.deleted_at))))
      ORDER BY t.id, l.partition`,
    [topic],
  )
  return rows.map(reusedRow.read)
}
