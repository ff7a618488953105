import { eventIdMs } from '../event-id.ts'
import type { LogEvent } from '../log-event.ts'
import type { EncodedRecord } from './record.ts'
import { formatTimestamp } from '../timestamp.ts'

/** An event as a record: CloudEvents 1.0, Kafka binding, binary mode. The value is `event.data` itself. */
export function encodeRecord(event: LogEvent): EncodedRecord {
  const subject = event.taskId ?? event.sessionId ?? ''
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_type: event.type,
    ce_source: recordSource(event.tenant, event.agent),
    ce_subject: subject,
    ce_time: formatTimestamp(eventIdMs(event.id)),
    'content-type': 'application/json',
    ce_tenant: event.tenant,
  }
  if (event.taskId !== null) headers['ce_taskid'] = event.taskId
  if (event.sessionId !== null) headers['ce_sessionid'] = event.sessionId
  if (event.agent !== null) headers['ce_agent'] = event.agent
  if (event.traceparent !== null) headers['traceparent'] = event.traceparent
  return { key: `${event.tenant}/${subject}`, value: event.data, headers }
}

/** `/tenants/<tenant>` or `/tenants/<tenant>/agents/<agent>`. */
export function recordSource(tenant: string, agent: string | null): string {
  return agent === null ? `/tenants/${tenant}` : `/tenants/${tenant}/agents/${agent}`
}
