import { isEventType } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { Routed } from '../streams/filter.ts'

const SLASH = 0x2f

/** The tenant of the record before: most records come in runs of one tenant, whose name need not be built again. */
let last = { tenant: '', prefix: '/' }

/** The tenant of a record, as its key names it (`<tenant>/<task or session>`). */
export function tenantOf(record: RecordView): string | undefined {
  if (record.keyStartsWith(last.prefix)) return last.tenant
  const tenant = record.keyTextBefore(SLASH)
  if (tenant !== undefined) last = { tenant, prefix: `${tenant}/` }
  return tenant
}

/**
 * The attributes that decide who gets a record, read from its headers without decoding it; undefined when it cannot be an
 * event. They are those of the event if the record is one; that is only certain once it is decoded.
 */
export function routedOf(record: RecordView, tenant: string): Routed | undefined {
  const type = record.headerText('ce_type')
  if (type === undefined || !isEventType(type)) return undefined
  return {
    tenant,
    type,
    taskId: record.headerText('ce_taskid') ?? null,
    sessionId: record.headerText('ce_sessionid') ?? null,
    agent: record.headerText('ce_agent') ?? null,
  }
}
