import type { Queryable } from '../queryable.ts'

/** Deletes redeliveries that ended longer ago than deliveries are kept, at most `limit`, and returns how many. By primary key. */
export async function deleteExpiredRedeliveries(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_expired_redeliveries($1) AS deleted', [o.limit])
  return rows[0]?.deleted ?? 0
}
