import { FILTER_NAMES, type EventType } from '@ariftly/events'
import { defineRow, filterColumns, plain, time, typeId, type RowOf, type Queryable } from '@ariftly/store'

const matchableRow = defineRow('e', {
  id: typeId('evt'),
  offset: plain<number>(),
  type: plain<EventType>(),
  ...filterColumns,
  appendedAtMs: time(),
  /** The payload as text, if it was asked for. */
  data: plain<string | null>(),
})

/** The part of a projected event that decides which webhooks want it, and that its deliveries need. */
export type MatchableEvent = RowOf<typeof matchableRow>

/** Events of one part of the log that follow each other. */
export interface MatchableEvents {
  /** In the order of the log. */
  readonly events: readonly MatchableEvent[]
  /** Whether no event of the part follows. */
  readonly atEnd: boolean
}

const COLUMNS = ['id', '"offset"', 'type', ...Object.values(FILTER_NAMES), 'appended_at'].join(', ')

/** Bytes of payloads in one read (the last one may exceed it). Parsing them takes at most 40 ms of a thread: 13 ms for 256 KiB. */
const PAYLOAD_BYTES_MAX = 512 * 1024

/**
 * The first `limit` events that fit `where`, a condition on `events` with `values`; with payloads fewer, if those are large. By
 * the index that serves `where` and has the order of the log.
 */
export async function readMatchableEvents(
  db: Queryable,
  o: {
    readonly where: string
    readonly values: readonly unknown[]
    readonly limit: number
    readonly withData: boolean
  },
): Promise<MatchableEvents> {
  const { where, values, limit, withData } = o
  const first = (columns: string): string =>
    `SELECT ${columns} FROM events WHERE ${where} ORDER BY "offset" LIMIT $${values.length + 1}`
  const { rows } = await db.query<{ readonly data: string | null }>(
    withData ? withPayloads(first) : first(`${COLUMNS}, NULL AS data`),
    [...values, limit],
  )
  const beyond = withData ? rows.findIndex(({ data }) => data === null) : -1
  const read = beyond === -1 ? rows : rows.slice(0, beyond)
  return { events: read.map(matchableRow.read), atEnd: beyond === -1 && rows.length < limit }
}

/** `data` is null for events before which there are payloads enough: these are never decompressed. */
function withPayloads(first: (columns: string) => string): string {
  return `
    WITH RECURSIVE part AS MATERIALIZED (${first(`row_number() OVER (ORDER BY "offset") AS n, ${COLUMNS}, data`)}),
    taken AS (
      SELECT n, octet_length(data::text)::bigint AS bytes FROM part WHERE n = 1
      UNION ALL
      SELECT p.n, t.bytes + octet_length(p.data::text)
        FROM taken t JOIN part p ON p.n = t.n + 1
       WHERE t.bytes < ${PAYLOAD_BYTES_MAX})
    SELECT ${COLUMNS}, CASE WHEN n <= (SELECT max(n) FROM taken) THEN data END AS data FROM part ORDER BY "offset"`
}
