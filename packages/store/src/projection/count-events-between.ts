import type { Queryable } from '../queryable.ts'

/**
 * Counts the events of all tenants that came from the offsets `from` to `to - 1` of a partition, but for those that are being deleted
 * with their tenant. Scans all weekly
 * partitions: no index begins with the position. For the operator's `verify` alone.
 */
export async function countEventsBetween(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly from: number; readonly to: number },
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*) AS count FROM events
      WHERE epoch = $1 AND partition = $2 AND "offset" >= $3 AND "offset" < $4
        AND NOT EXISTS (SELECT FROM tenant_log_ends l
                         WHERE l.tenant_id = events.tenant_id AND l.epoch = $1 AND l.partition = $2
                           AND events."offset" < l.end_offset)`,
    [o.epoch, o.partition, o.from, o.to],
  )
  return rows[0]?.count ?? 0
}
