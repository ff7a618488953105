import { eventIdMs } from '../event-id.ts'
import type { LogEvent } from '../log-event.ts'
import { formatTimestamp } from '../timestamp.ts'

/**
 * The event object of the API as one line of JSON, as in lists, envelopes of streams and webhooks. The bytes of `data` are
 * copied unchanged. All other members are ASCII by the rules of `LogEvent`, so none needs escaping.
 */
export function renderEvent(event: Omit<LogEvent, 'tenant' | 'traceparent'>): Buffer {
  const head =
    `{"object":"event","id":"${event.id}","type":"${event.type}","created_at":"${formatTimestamp(eventIdMs(event.id))}"` +
    `,"task_id":${quoted(event.taskId)},"agent":${quoted(event.agent)},"session_id":${quoted(event.sessionId)},"data":`
  const out = Buffer.allocUnsafe(head.length + event.data.length + 1)
  out.write(head, 0, 'latin1')
  event.data.copy(out, head.length)
  out[out.length - 1] = 0x7d
  return out
}

function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`
}
