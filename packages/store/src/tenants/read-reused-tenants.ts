import type { Queryable } from '../queryable.ts'

/** A tenant that has the id of a deleted one: up to 1.1.0 an id could be given again. */
export interface ReusedTenant {
  readonly tenant: string
  /** When the tenant that had the id before was deleted. */
  readonly deletedAtMs: number
  readonly partition: number
  /** Its records of the partition are below this offset. */
  readonly endOffset: number
}

/**
 * The tenants that have the id of a deleted one, by partition of the topic's newest epoch. Also reads a schema that is older than
 * this code, or none. Reads the table, which is small.
 */
export async function readReusedTenants(db: Queryable, topic: string): Promise<readonly ReusedTenant[]> {
  const { rows: tables } = await db.query<{ exists: boolean }>(
    `SELECT to_regclass('public.tenant_log_ends') IS NOT NULL AS exists`,
  )
  if (tables[0]?.exists !== true) return []
  const { rows } = await db.query<{ id: string; deleted_at: Date; partition: number; end_offset: number }>(
    `SELECT t.id, t.deleted_at, l.partition, l.end_offset
       FROM tenant_log_ends l JOIN tenants t ON t.id = l.tenant_id
      WHERE l.epoch = (SELECT max(epoch) FROM log_epochs WHERE topic = $1) AND t.deleted_at IS NOT NULL
        AND (t.state IN ('active', 'suspended')
             OR (t.state = 'deleted' AND EXISTS (
                   SELECT FROM api_keys k
                    WHERE k.tenant_id = t.id AND (k.revoked_at IS NULL OR k.revoked_at > t.deleted_at))))
      ORDER BY t.id, l.partition`,
    [topic],
  )
  return rows.map((row) => ({
    tenant: row.id,
    deletedAtMs: row.deleted_at.getTime(),
    partition: row.partition,
    endOffset: row.end_offset,
  }))
}
