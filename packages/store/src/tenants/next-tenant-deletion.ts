import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** A deletion that is under way. */
export interface TenantDeletion {
  readonly tenant: string
  /** Milliseconds since its keys were revoked. */
  readonly refusedForMs: number
  /** How often the ends of the log were recorded for it: 0, 1 or 2. */
  readonly logEndsRead: number
}

/** The deletion whose turn was longest ago; undefined when there is none. By the index tenants_deleting. */
export async function nextTenantDeletion(db: Queryable): Promise<TenantDeletion | undefined> {
  const { rows } = await db.query<{ id: string; refused_ms: number; log_ends_read: number }>(
    prepared(
      `SELECT id, extract(epoch FROM clock_timestamp() - refused_at)::float8 * 1000 AS refused_ms, log_ends_read
         FROM tenants WHERE state = 'deleting' ORDER BY updated_at LIMIT 1`,
      [],
    ),
  )
  const [row] = rows
  if (row === undefined) return undefined
  return { tenant: row.id, refusedForMs: row.refused_ms, logEndsRead: row.log_ends_read }
}
