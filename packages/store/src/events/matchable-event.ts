import { uuidToTypeId, type EventType } from '@ariftly/events'

/** Of an event of the projection, what decides which webhooks want it and what its deliveries need. */
export interface MatchableEvent {
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

/** A row as pg hands it over. */
export interface MatchableColumns {
  readonly id: string
  readonly offset: number
  readonly type: EventType
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly appended_at: Date
  readonly data: string | null
}

/** Turns columns into what code works with. */
export function toMatchableEvent(row: MatchableColumns): MatchableEvent {
  return {
    id: uuidToTypeId('evt', row.id),
    offset: row.offset,
    type: row.type,
    taskId: row.task_id,
    sessionId: row.session_id,
    agent: row.agent,
    appendedAtMs: row.appended_at.getTime(),
    data: row.data,
  }
}
