import type { Queryable } from '../queryable.ts'

/** Ids of the tenants whose deletion began at a time or later, the oldest first. Reads the table. For the operator alone. */
export async function listDeletedSince(db: Queryable, sinceMs: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM tenants WHERE state IN ('deleting', 'deleted') AND refused_at >= $1 ORDER BY refused_at, id`,
    [new Date(sinceMs)],
  )
  return rows.map(({ id }) => id)
}
