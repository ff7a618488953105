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

/** The weeks of events that an insert needs. */
export interface EventWeeks {
  /** Milliseconds of ids, both inclusive. */
  readonly minMs: number
  readonly maxMs: number
  /** The newest append time of the records that need these weeks; absent: none needs them yet. */
  readonly appendedMs?: number
}

/** What {@link ensureEventPartitions} has done. */
export interface EnsuredWeeks {
  readonly created: number
  /** Events whose ids have an earlier millisecond are older than the kept history: they have no partition and get none. */
  readonly keptFromMs: number
}

/**
 * Creates the weekly partitions of `events` that are missing. None is created before the kept history, or more than three weeks after
 * the later of Postgres's clock and the append time: an insert there fails ({@link isMissingPartition}). Takes no lock that readers or
 * writers wait for; gives up after 2 s with 55P03 (lock not available), then try again. Not inside the transaction that inserts:
 * it would hold its locks to the end.
 */
export async function ensureEventPartitions(db: Queryable, o: EventWeeks): Promise<EnsuredWeeks> {
  const { rows } = await db.query<EnsuredWeeks>(
    'SELECT created, kept_from_ms AS "keptFromMs" FROM ensure_event_partitions($1, $2, $3)',
    [o.minMs, o.maxMs, o.appendedMs ?? null],
  )
  return rows[0] ?? { created: 0, keptFromMs: Number.NEGATIVE_INFINITY }
}

/**
 * The first millisecond of the oldest week of events that is kept: history, the log's retention and a day before the earlier of
 * Postgres's clock and a day after the newest append.
 */
export async function readEventsKeptFrom(db: Queryable): Promise<number> {
  return await callFunction(db, 'events_kept_from_ms', [])
}

/** Drops the partitions of `events` that are not kept any more and returns their names. 55P03: try again later. */
export async function dropExpiredEventPartitions(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ dropped: string[] }>('SELECT drop_expired_event_partitions() AS dropped')
  return rows[0]?.dropped ?? []
}
