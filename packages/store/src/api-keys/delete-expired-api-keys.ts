import type { Queryable } from '../queryable.ts'

/** Removes at most `rowsMax` keys that were revoked 35 days ago; the hashes of their secrets stay. Gives how many. By index api_keys_revoked. */
export async function deleteRevokedApiKeys(db: Queryable, rowsMax: number): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_revoked_api_keys($1) AS deleted', [rowsMax])
  return rows[0]?.deleted ?? 0
}

/** Removes at most `rowsMax` entries of the feed that are older than a day, but for the newest one. Gives how many. By primary key. */
export async function deleteExpiredApiKeyChanges(db: Queryable, rowsMax: number): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_expired_api_key_changes($1) AS deleted', [
    rowsMax,
  ])
  return rows[0]?.deleted ?? 0
}
