import type { Queryable } from '../queryable.ts'

/** Deletes replays that ended longer ago than deliveries are kept, at most `limit`, and answers how many. By primary key, as ids rise with time. */
export async function deleteExpiredReplays(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_expired_replays($1) AS deleted', [o.limit])
  return rows[0]?.deleted ?? 0
}
