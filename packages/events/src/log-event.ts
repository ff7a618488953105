import type { EventType } from './event-type.ts'
import type { EventAttributes } from './filter/attributes.ts'

/** One event of the log. `createdAt` is not a field: it is the millisecond in `id` (`eventIdMs`). */
export interface LogEvent extends EventAttributes {
  /** `[a-z0-9-]{1,64}`. */
  readonly tenant: string
  /** TypeID `evt_…` of a UUIDv7. */
  readonly id: string
  readonly type: EventType
  /** Null only for `session.*`. */
  readonly taskId: string | null
  /** Never null for `session.*`. */
  readonly sessionId: string | null
  readonly agent: string | null
  /** The payload: a JSON object on one line, the caller's bytes, `task_id` (otherwise `session_id`) as its first member. */
  readonly data: Buffer
  /** W3C trace context of the request that posted it. */
  readonly traceparent: string | null
}

const TENANT = /^[a-z0-9-]{1,64}$/
const IDENTIFIER = /^[A-Za-z0-9_.:/-]{1,128}$/

/** Whether `text` can name a tenant: `[a-z0-9-]{1,64}`. */
export function isTenant(text: string): boolean {
  return TENANT.test(text)
}

/** Whether `text` can be a `task_id`, `session_id` or `agent`: 1 to 128 of `A-Z a-z 0-9 _ . : - /`. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text)
}
