import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { LOGGED_COLUMNS, toLoggedEvent, type LoggedColumns, type LoggedEvent } from './event-row.ts'
import { callFunction } from '../prepared.ts'

/** One event of a tenant, or undefined. `id` is a valid `evt_…` (RangeError if not). By primary key, in one partition. */
export async function getEvent(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<LoggedEvent | undefined> {
  const { rows } = await db.query<LoggedColumns>({
    name: 'get-event',
    text: `SELECT ${LOGGED_COLUMNS} FROM events WHERE tenant_id = $1 AND id = $2::uuid`,
    values: [o.tenant, typeIdToUuid('evt', o.id)],
  })
  return rows[0] === undefined ? undefined : toLoggedEvent(rows[0])
}

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
  return await callFunction(db, 'ensure_event_partitions', [o.minMs, o.maxMs])
}

/**
 * Drops the partitions of `events` whose end is older than the retention of events, of the log, and one day; returns their
 * names. The function in Postgres enforces this, with a retention of at least 7 days. 55P03: try again later.
 */
export async function dropExpiredEventPartitions(
  db: Queryable,
  o: { readonly logRetentionMs: number },
): Promise<readonly string[]> {
  const { rows } = await db.query<{ dropped: string[] }>('SELECT drop_expired_event_partitions($1) AS dropped', [
    o.logRetentionMs,
  ])
  return rows[0]?.dropped ?? []
}
