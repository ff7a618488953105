/** The ten event types of the product, in the order of the specification. */
export const EVENT_TYPES = [
  'task.created',
  'task.progress',
  'task.complete',
  'task.failed',
  'artifact.emitted',
  'approval.requested',
  'approval.resolved',
  'session.message',
  'session.closed',
  'tool_call.executed',
] as const

/** One of the ten types of {@link EVENT_TYPES}. */
export type EventType = (typeof EVENT_TYPES)[number]

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES)

/** Whether `text` is exactly one of the ten types. */
export function isEventType(text: string): text is EventType {
  return KNOWN.has(text)
}

/** Whether events of this type belong to a session: they need a `session_id`, and `task_id` is optional. */
export function isSessionType(type: EventType): boolean {
  return type === 'session.message' || type === 'session.closed'
}
