import { EVENT_TYPES, type EventFilter } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  LOGGED_COLUMNS,
  SHOWN_COLUMNS,
  toLoggedEvent,
  toShownEvent,
  type LoggedColumns,
  type LoggedEvent,
  type ShownColumns,
  type ShownEvent,
} from './event-row.ts'
import { idBounds, type IdWindow } from '../id-bounds.ts'

/** Which events a page has, and from where on. */
export interface ListEventsOptions extends IdWindow {
  readonly tenant: string
  /** Absent members filter nothing; `types` has no duplicates. */
  readonly filter: EventFilter
  /** 1 to 500. */
  readonly limit: number
  /** A page ends before its `data` would pass this; its first event is always there. Default 4 MiB. */
  readonly dataBytesMax?: number
}

/** One page of a list of events. */
export interface EventPage<E extends ShownEvent = ShownEvent> {
  readonly events: readonly E[]
  /** Whether events follow the last one of this page. */
  readonly hasMore: boolean
}

const LIMIT_MAX = 500
/** Always true where `id >= $2` is; see `listEventsQuery`. */
const WITHIN_INDEX = `(id, type) >= ($2::uuid, '')`
const DATA_BYTES_MAX = 4 * 1024 * 1024

interface More {
  readonly more: boolean
}

/**
 * One page of a tenant's events by id (which is by time). With any filter it is a range scan of one index, or a merge of one
 * range per type, that starts at the page's first id and ends with the page: no sort, no rows before the page, so page 10,000
 * costs what page 1 costs; partitions outside the bounds are pruned. See `listEventsQuery`.
 */
export async function listEvents(db: Queryable, o: ListEventsOptions): Promise<EventPage> {
  const { rows } = await db.query<ShownColumns & More>(listEventsQuery(o))
  return { events: rows.map(toShownEvent), hasMore: rows.at(-1)?.more ?? false }
}

/** The same page with how each event went through the log. */
export async function listLoggedEvents(db: Queryable, o: ListEventsOptions): Promise<EventPage<LoggedEvent>> {
  const { rows } = await db.query<LoggedColumns & More>(listEventsQuery(o, { logged: true }))
  return { events: rows.map(toLoggedEvent), hasMore: rows.at(-1)?.more ?? false }
}

/**
 * Session settings of a pool for lists: plans are made once per shape, and none may sort or scan a table.
 */
export const LIST_SETTINGS = {
  plan_cache_mode: 'force_generic_plan',
  enable_sort: 'off',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  jit: 'off',
} as const

/**
 * The statement of a page, prepared under a name per shape (which filters, how many types, which order).
 *
 * - task or session: `events_task` or `events_session`, in which type and agent are checked too: only rows that fit are read.
 *   What bounds the id is said a second time as a row (`WITHIN_INDEX`), so that the planner plans no skip scan (ADR 12).
 * - agent (with or without types): one range of `events_agent` per type, merged; an agent alone is all ten types.
 * - types alone: one range of `events_type` per type, merged. An index cannot give several types in the order of ids.
 * - no filter: the primary key.
 *
 * The collation of the tenant leaves no other index: see docs/lists.md.
 *
 * The window function only adds up lengths in page order and stops with the page.
 */
export function listEventsQuery(
  o: ListEventsOptions,
  { logged = false }: { readonly logged?: boolean } = {},
): { name: string; text: string; values: unknown[] } {
  const columns = logged ? LOGGED_COLUMNS : SHOWN_COLUMNS
  const { low, high } = idBounds('evt', o)
  const values: unknown[] = [o.tenant, low, high, o.limit, o.dataBytesMax ?? DATA_BYTES_MAX]
  const parameter = (value: unknown): string => `$${values.push(value)}`
  const direction = o.order === 'asc' ? 'ASC' : 'DESC'
  const branch = (conditions: readonly string[]): string =>
    `(SELECT ${columns}, data_bytes FROM events ` +
    `WHERE ${[`tenant_id${collationOf(o.filter)} = $1`, 'id >= $2::uuid', 'id < $3::uuid', ...conditions].join(' AND ')} ` +
    `ORDER BY id ${direction} LIMIT ${LIMIT_MAX + 1})`

  const { conditions, types } = splitFilter(o.filter, parameter)
  const branches =
    types === undefined
      ? [branch(conditions)]
      : types.map((type) => branch([...conditions, `type = ${parameter(type)}`]))
  return {
    name: `list-events${logged ? ' logged' : ''} ${shapeOf(o.filter, branches.length)} ${direction}`,
    text:
      `SELECT ${columns}, more FROM (` +
      `SELECT *, sum(data_bytes) OVER page AS bytes_so_far, lead(id) OVER page IS NOT NULL AS more, ` +
      `row_number() OVER page AS place FROM (${branches.join(' UNION ALL ')}) AS merged ` +
      `WINDOW page AS (ORDER BY id ${direction} ROWS UNBOUNDED PRECEDING)) AS numbered ` +
      `WHERE bytes_so_far <= $5 OR place = 1 ORDER BY id ${direction} LIMIT $4`,
    values,
  }
}

/** Conditions of every branch, and the types of which each is a branch of its own. */
function splitFilter(
  filter: EventFilter,
  parameter: (value: unknown) => string,
): { conditions: readonly string[]; types: readonly string[] | undefined } {
  const conditions: string[] = []
  if (filter.taskId != null) conditions.push(`task_id = ${parameter(filter.taskId)}`)
  if (filter.sessionId != null) conditions.push(`session_id = ${parameter(filter.sessionId)}`)
  if (filter.agent != null) conditions.push(`agent = ${parameter(filter.agent)}`)
  if (filter.taskId == null && filter.sessionId == null)
    return { conditions, types: filter.types ?? (filter.agent == null ? undefined : EVENT_TYPES) }
  conditions.push(WITHIN_INDEX)
  if (filter.types != null) conditions.push(`type = ANY (${parameter(filter.types)}::text[])`)
  return { conditions, types: undefined }
}

/** The collation of `tenant_id` in the index that a list has to take. */
export function collationOf({ taskId, sessionId, agent, types }: EventFilter): string {
  if (taskId != null) return ' COLLATE "C"'
  if (sessionId != null || agent != null) return ' COLLATE "POSIX"'
  return types == null ? '' : ' COLLATE "C"'
}

function shapeOf(filter: EventFilter, branches: number): string {
  const parts = [
    filter.taskId == null ? '' : 'task',
    filter.sessionId == null ? '' : 'session',
    filter.agent == null ? '' : 'agent',
    filter.types == null ? '' : 'type',
  ]
  return `${parts.filter((part) => part !== '').join('+')} ${branches}`
}
