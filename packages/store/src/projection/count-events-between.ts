import type { Queryable } from '../queryable.ts'

/**
 * Counts the events of all tenants that came from the offsets `from` to `to - 1` of a partition, but for those of tenants that are
 * being deleted. Scans all weekly partitions: no index begins with the position. For the operator's `verify` alone.
 */
export async function countEventsBetween(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly from: number; readonly to: number },
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*) AS count FROM events
      WHERE epoch = $1 AND partition = $2 AND "offset" >= $3 AND "offset" < $4
        AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = events.tenant_id AND t.state IN ('deleting', 'deleted'))`,
    [o.epoch, o.partition, o.from, o.to],
  )
  return rows[0]?.count ?? 0
}
