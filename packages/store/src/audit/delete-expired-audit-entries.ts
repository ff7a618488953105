import type { Queryable } from '../queryable.ts'

/** Removes at most `rowsMax` entries that are older than 400 days; answers how many it removed. By primary key. */
export async function deleteExpiredAuditEntries(db: Queryable, rowsMax: number): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>('SELECT delete_expired_audit_entries($1) AS deleted', [rowsMax])
  return rows[0]?.deleted ?? 0
}
