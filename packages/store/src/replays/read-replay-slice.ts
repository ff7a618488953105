import { uuidToTypeId, type EventType } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { ReplayCursor } from './lock-next-replay.ts'

/** Of an event, what decides whether it is replayed and what its delivery needs. */
export interface ReplayCandidate {
  readonly id: string
  readonly offset: number
  readonly type: EventType
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
  readonly appendedAtMs: number
  /** The payload as text, if it was asked for. */
  readonly data: string | null
}

/**
 * A tenant's next events of one partition of the log, in offset order. It ends a minute of log time behind `beforeMs`, so
 * that a clock that was set back loses nothing and a replay does not chase the log's end; the caller looks at each time.
 * A range of events_position. With `withData` a slice holds up to `limit` payloads of 256 KiB each.
 */
export async function readReplaySlice(
  tx: Queryable,
  o: {
    readonly tenant: string
    readonly from: ReplayCursor
    readonly beforeMs: number
    readonly limit: number
    readonly withData: boolean
  },
): Promise<readonly ReplayCandidate[]> {
  const { rows } = await tx.query<{
    id: string
    offset: number
    type: EventType
    task_id: string | null
    session_id: string | null
    agent: string | null
    appended_at: Date
    data: string | null
  }>(
    `SELECT id, "offset", type, task_id, session_id, agent, appended_at, CASE WHEN $7 THEN data END AS data
       FROM events
      WHERE tenant_id = $1 AND epoch = $2 AND partition = $3 AND "offset" >= $4
        AND "offset" < coalesce((SELECT t."offset" FROM log_times t
                                  WHERE t.epoch = $2 AND t.partition = $3 AND t.appended_at >= $5
                                  ORDER BY t.appended_at, t."offset"
                                  LIMIT 1), 9223372036854775807)
      ORDER BY "offset"
      LIMIT $6`,
    [o.tenant, o.from.epoch, o.from.partition, o.from.offset, new Date(o.beforeMs + CLOCK_MS), o.limit, o.withData],
  )
  return rows.map((row) => ({
    id: uuidToTypeId('evt', row.id),
    offset: row.offset,
    type: row.type,
    taskId: row.task_id,
    sessionId: row.session_id,
    agent: row.agent,
    appendedAtMs: row.appended_at.getTime(),
    data: row.data,
  }))
}

const CLOCK_MS = 60_000
