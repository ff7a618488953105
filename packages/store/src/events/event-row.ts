import { uuidToTypeId, type EventType, type LogEvent } from '@ariftly/events'

/** The shown members of an event; `renderEvent` takes them. */
export type ShownEvent = Pick<LogEvent, 'id' | 'type' | 'taskId' | 'agent' | 'sessionId' | 'data'>

/** The same, and how it went through the log. */
export interface LoggedEvent extends ShownEvent {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
  /** Null for rows that are older than the column. */
  readonly projectedAtMs: number | null
}

/** The columns that `toShownEvent` reads. */
export const SHOWN_COLUMNS = 'id, type, task_id, agent, session_id, data'

/** The columns that `toLoggedEvent` reads. */
export const LOGGED_COLUMNS = `${SHOWN_COLUMNS}, partition, "offset", appended_at, projected_at`

/** A row of `SHOWN_COLUMNS` as pg hands it over. */
export interface ShownColumns {
  readonly id: string
  readonly type: EventType
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: string
}

/** A row of `LOGGED_COLUMNS` as pg hands it over. */
export interface LoggedColumns extends ShownColumns {
  readonly partition: number
  readonly offset: number
  readonly appended_at: Date
  readonly projected_at: Date | null
}

/** Turns columns into what code works with. */
export function toLoggedEvent(columns: LoggedColumns): LoggedEvent {
  return {
    ...toShownEvent(columns),
    partition: columns.partition,
    offset: columns.offset,
    appendedAtMs: columns.appended_at.getTime(),
    projectedAtMs: columns.projected_at?.getTime() ?? null,
  }
}

/** The same of what an event shows; the bytes of `data` are the stored ones. */
export function toShownEvent(columns: ShownColumns): ShownEvent {
  return {
    id: uuidToTypeId('evt', columns.id),
    type: columns.type,
    taskId: columns.task_id,
    agent: columns.agent,
    sessionId: columns.session_id,
    data: Buffer.from(columns.data),
  }
}
