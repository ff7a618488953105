import { uuidToTypeId, type EventType, type LogEvent } from '@ariftly/events'

/** An event as Postgres holds it, and where it stands in the log. `renderEvent` takes it as it is. */
export interface EventRow extends Omit<LogEvent, 'traceparent'> {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/** What an event shows; `renderEvent` takes it as it is. */
export type ShownEvent = Pick<EventRow, 'id' | 'type' | 'taskId' | 'agent' | 'sessionId' | 'data'>

/** The columns that `toShownEvent` reads. */
export const SHOWN_COLUMNS = 'id, type, task_id, agent, session_id, data'

/** The columns that `toEventRow` reads. */
export const EVENT_COLUMNS =
  'tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data'

/** A row of `SHOWN_COLUMNS` as pg hands it over. */
export interface ShownColumns {
  readonly id: string
  readonly type: EventType
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: string
}

/** A row of `EVENT_COLUMNS` as pg hands it over. */
export interface EventColumns extends ShownColumns {
  readonly tenant_id: string
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appended_at: Date
}

/** Turns columns into the row that code works with; the bytes of `data` are the stored ones. */
export function toEventRow(columns: EventColumns): EventRow {
  return {
    ...toShownEvent(columns),
    tenant: columns.tenant_id,
    epoch: columns.epoch,
    partition: columns.partition,
    offset: columns.offset,
    appendedAtMs: columns.appended_at.getTime(),
  }
}

/** The same of what an event shows. */
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
