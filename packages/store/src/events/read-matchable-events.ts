import type { Queryable } from '../queryable.ts'
import { toMatchableEvent, type MatchableColumns, type MatchableEvent } from './matchable-event.ts'

/** Events of one part of the log that follow each other. */
export interface MatchableEvents {
  /** In the order of the log. */
  readonly events: readonly MatchableEvent[]
  /** Whether no event of the part follows. */
  readonly atEnd: boolean
}

/** Payloads that one read holds (the last one may go beyond). To parse them takes 40 ms of a thread at worst: 13 ms for 256 KiB. */
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
  const columns = 'id, "offset", type, task_id, session_id, agent, appended_at'
  const { rows } = await db.query<MatchableColumns>(
    `SELECT ${columns}, ${withData ? FIRST_PAYLOADS : 'NULL'} AS data
       FROM (SELECT ${columns}${withData ? ', data' : ''}
               FROM events WHERE ${where} ORDER BY "offset" LIMIT $${values.length + 1}) AS part
      ORDER BY "offset"`,
    [...values, limit],
  )
  const beyond = withData ? rows.findIndex(({ data }) => data === null) : -1
  const read = beyond === -1 ? rows : rows.slice(0, beyond)
  return { events: read.map(toMatchableEvent), atEnd: beyond === -1 && rows.length < limit }
}

/** Null for events before which there are payloads enough. */
const FIRST_PAYLOADS = `
  CASE WHEN coalesce(sum(octet_length(data::text)) OVER (ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
            < ${PAYLOAD_BYTES_MAX}
       THEN data END`
