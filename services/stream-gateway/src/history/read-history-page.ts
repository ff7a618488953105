import {
  FILTER_MEMBERS,
  FILTER_NAMES,
  uuidToTypeId,
  type EventFilter,
  type EventType,
  type FilterMember,
} from '@ariftly/events'
import { groupBy, type Queryable } from '@ariftly/store'
import { collationOf } from '@ariftly/store/events'

/** What a page of a stream's history asks for. */
export interface HistoryPageRequest {
  readonly tenant: string
  readonly filter: EventFilter
  readonly epoch: number
  readonly topic: string
  /** The first offset wanted of each partition that is asked for. */
  readonly positions: ReadonlyMap<number, number>
  /** The one partition that can hold rows (a task's, by its key); of the others only `nextOffset` is read. */
  readonly onlyPartition?: number
  /** Matching rows of one partition at most. */
  readonly rowsMax: number
  /** Bytes of `data` of one partition at most; the first row is always included. */
  readonly bytesMax: number
  /** Rows of the tenant scanned in one partition at most, so that a rare filter cannot make a statement long. */
  readonly scanMax: number
  /**
   * Reads by position even when the filter names a task or session: at most `scanMax` rows are scanned. Otherwise all rows of the
   * task or session from the position on, without a bound.
   */
  readonly scan?: boolean
}

/** One event of the projection, as a stream shows it. */
export interface HistoryRow {
  readonly offset: number
  readonly id: string
  readonly type: EventType
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
  readonly appendedAtMs: number
  readonly data: Buffer
}

/** What one statement saw of a partition: all its matching rows from the position up to (not including) `readTo`. */
export interface HistoryPartition {
  /** The projection's first offset that it does not hold yet. */
  readonly nextOffset: number
  /** Equals `nextOffset` unless the page was cut. */
  readonly readTo: number
  /** When the page was cut, the id of the last scanned event. */
  readonly cutId: string | undefined
  /** Matching rows that the statement saw, those beyond the page included; 0 when nothing is in the page. */
  readonly matching: number
  /** In offset order. */
  readonly rows: readonly HistoryRow[]
}

/**
 * Reads the events projection's position in each partition and the matching rows from the given position up to there, in one
 * statement and so one snapshot: read in two statements, events could be missed between them. Partitions without a projection
 * row are left out. By index events_position, or by events_task / events_session when the filter names one, so that the cost
 * does not grow with the rest of the tenant's events. For connections with `LIST_SETTINGS`.
 */
export async function readHistoryPage(
  db: Queryable,
  o: HistoryPageRequest,
): Promise<ReadonlyMap<number, HistoryPartition>> {
  const { filter } = o
  const source =
    o.scan === true ? 'scan' : filter.taskId != null ? 'task' : filter.sessionId != null ? 'session' : 'scan'
  const { rows } = await db.query<PageRow>({
    name: `streams-history-${source}`,
    text: STATEMENTS[source],
    values: [
      o.tenant,
      o.epoch,
      o.topic,
      [...o.positions.keys()],
      [...o.positions.values()],
      o.onlyPartition ?? null,
      o.rowsMax,
      o.bytesMax,
      filter.types ?? null,
      ...FILTER_MEMBERS.map((member) => filter[member] ?? null),
      ...(source === 'scan' ? [o.scanMax] : []),
    ],
  })
  return collect(rows)
}

interface PageRow {
  readonly partition: number
  readonly next_offset: number
  readonly offset: number | null
  readonly kept: boolean | null
  readonly last_scanned: boolean | null
  readonly matching: number | null
  readonly id: string | null
  readonly type: EventType | null
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly appended_at: Date | null
  readonly data: string | null
}

function collect(rows: readonly PageRow[]): ReadonlyMap<number, HistoryPartition> {
  const byPartition = groupBy(rows, ({ partition }) => partition)
  return new Map(Array.from(byPartition, ([partition, list]) => [partition, toPartition(list)]))
}

function toPartition(list: readonly PageRow[]): HistoryPartition {
  const rows: HistoryRow[] = []
  let matching = 0
  let lastScanned: { readonly offset: number; readonly id: string } | undefined
  for (const row of list) {
    if (row.last_scanned === true && row.offset !== null && row.id !== null) {
      lastScanned = { offset: row.offset, id: uuidToTypeId('evt', row.id) }
    }
    matching = row.matching ?? 0
    const event = row.kept === true ? toRow(row) : undefined
    if (event !== undefined) rows.push(event)
  }
  const nextOffset = list[0]?.next_offset ?? 0
  const last = rows.at(-1)
  const end = last !== undefined && rows.length < matching ? last : lastScanned
  if (end === undefined || end.offset + 1 >= nextOffset)
    return { nextOffset, readTo: nextOffset, cutId: undefined, matching, rows }
  return { nextOffset, readTo: end.offset + 1, cutId: end.id, matching, rows }
}

function toRow(row: PageRow): HistoryRow | undefined {
  const { offset, id, type, data } = row
  if (offset === null || id === null || type === null || data === null) return undefined
  return {
    offset,
    id: uuidToTypeId('evt', id),
    type,
    taskId: row.task_id,
    sessionId: row.session_id,
    agent: row.agent,
    appendedAtMs: row.appended_at?.getTime() ?? 0,
    data: Buffer.from(data),
  }
}

/** `kept` rows are the page; the `last_scanned` row is the end of a scan that reached its limit. */
function statement(source: string): string {
  return `
SELECT o.partition, o.next_offset, page."offset", page.kept, page.last_scanned, page.matching::int4 AS matching,
       page.id::text AS id, page.type, page.task_id, page.session_id, page.agent, page.appended_at,
       CASE WHEN page.kept THEN page.data END AS data
  FROM unnest($4::int[], $5::bigint[]) AS asked (partition, position)
  JOIN projection_offsets o
    ON o.projection = 'events' AND o.epoch = $2 AND o.topic = $3 AND o.partition = asked.partition
  LEFT JOIN LATERAL (
    SELECT numbered.*,
           numbered.matches AND numbered.n <= $7::int AND (numbered.bytes <= $8::bigint OR numbered.n = 1) AS kept
      FROM (
        SELECT source.*,
               sum(CASE WHEN source.matches THEN source.data_bytes ELSE 0 END) OVER w AS bytes,
               count(*) FILTER (WHERE source.matches) OVER w AS n,
               count(*) FILTER (WHERE source.matches) OVER () AS matching,
               row_number() OVER w = source.scan_max AS last_scanned
          FROM (${source}) source
        WINDOW w AS (ORDER BY source."offset")
      ) numbered
  ) page ON page.kept OR page.last_scanned
 ORDER BY o.partition, page."offset"`
}

const COLUMNS = `e."offset", e.id, e.type, e.task_id, e.session_id, e.agent, e.appended_at, e.data, e.data_bytes`
const RANGE = `e.epoch = $2 AND e.partition = o.partition
             AND e."offset" >= asked.position AND e."offset" < o.next_offset`
const OF_PARTITION = `($6::int IS NULL OR o.partition = $6::int)`
const TYPES = '$9::text[]'

/** The parameter of a value that a filter may name: they follow the types. */
function parameterOf(member: FilterMember): string {
  return `$${10 + FILTER_MEMBERS.indexOf(member)}::text`
}

const SCAN_MAX = `$${10 + FILTER_MEMBERS.length}::bigint`
const REST = [
  `(${TYPES} IS NULL OR e.type = ANY (${TYPES}))`,
  ...FILTER_MEMBERS.map((member) => {
    const value = parameterOf(member)
    return `(${value} IS NULL OR e.${FILTER_NAMES[member]} = ${value})`
  }),
].join(' AND ')

const SCAN = statement(`
            SELECT ${COLUMNS}, ${SCAN_MAX} AS scan_max, coalesce(${REST}, false) AS matches
              FROM events e
             WHERE e.tenant_id = $1 AND ${RANGE} AND ${OF_PARTITION}
             ORDER BY e."offset"
             LIMIT ${SCAN_MAX}`)

/**
 * All rows of a task or session are found first, by its index, as lists find them; OFFSET 0 keeps what follows from choosing another
 * one. The position comes after that.
 */
function selective(found: string): string {
  return statement(`
            SELECT ${COLUMNS}, -1::bigint AS scan_max, true AS matches
              FROM (SELECT * FROM events WHERE ${found} AND ${OF_PARTITION} ORDER BY id OFFSET 0) e
             WHERE ${RANGE} AND ${REST}`)
}

const STATEMENTS = {
  scan: SCAN,
  task: selective(`tenant_id${collationOf({ taskId: '' })} = $1 AND task_id = ${parameterOf('taskId')}`),
  session: selective(`tenant_id${collationOf({ sessionId: '' })} = $1 AND session_id = ${parameterOf('sessionId')}`),
}
