import type { Queryable } from '../queryable.ts'

/** The number of the feed's last entry, 0 when there is none: where a process that has cached nothing begins to read. */
export async function latestApiKeyChange(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ seq: number }>('SELECT coalesce(max(seq), 0) AS seq FROM api_key_changes')
  return rows[0]?.seq ?? 0
}
