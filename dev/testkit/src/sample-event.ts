import { newEventId, type LogEvent } from '@ariftly/events'

/** An event and its place in the log, as the projection has it. */
export interface ProjectedEvent extends LogEvent {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/** An event of tenant `acme` and task `t`, made now, of a writer without a name; its data has the members of `task.progress`. */
export function sampleEvent(changes: Partial<LogEvent> = {}): LogEvent {
  const { taskId = 't' } = changes
  return {
    tenant: 'acme',
    id: newEventId(Date.now()),
    type: 'task.progress',
    taskId,
    sessionId: null,
    agent: null,
    data: Buffer.from(`{"task_id":"${taskId}","message":"m"}`),
    traceparent: null,
    ...changes,
  }
}

/** A {@link sampleEvent} as a row of the projection: the first one of partition 0 in epoch 1, with an id of the time at which it was appended. */
export function sampleRow(changes: Partial<ProjectedEvent> = {}): ProjectedEvent {
  const { appendedAtMs = Date.now() } = changes
  const place = { epoch: 1, partition: 0, offset: 0, appendedAtMs }
  return { ...sampleEvent({ id: newEventId(appendedAtMs) }), ...place, ...changes }
}
