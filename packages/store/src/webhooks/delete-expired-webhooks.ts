import type { Queryable } from '../queryable.ts'

/**
 * Deletes webhooks that were deleted so long ago that no delivery of theirs is kept any more, at most `limit`, and answers how
 * many. Those with replays stay until these are deleted. By index webhooks_deleted.
 */
export async function deleteExpiredWebhooks(db: Queryable, o: { readonly limit: number }): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_expired_webhooks($1) AS deleted', [o.limit])
  return rows[0]?.deleted ?? 0
}
