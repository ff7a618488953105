import type { Queryable } from '../queryable.ts'

/**
 * Creates the weekly partitions of `events` that ids with these milliseconds (inclusive) need and that are missing; answers
 * how many it created. Moments outside the accepted window (98 days back to 21 days ahead) are cut off: an event there has no
 * partition, and its insert fails with 23514. Takes no lock that readers or writers wait for; gives up after 2 s with 55P03
 * (lock not available), then try again. Not inside the transaction that inserts: it would hold its locks to the end.
 */
export async function ensureEventPartitions(
  db: Queryable,
  o: { readonly minMs: number; readonly maxMs: number },
): Promise<number> {
  const { rows } = await db.query<{ created: number }>('SELECT ensure_event_partitions($1, $2) AS created', [
    o.minMs,
    o.maxMs,
  ])
  return rows[0]?.created ?? 0
}
