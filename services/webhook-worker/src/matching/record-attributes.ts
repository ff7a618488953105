import type { RawRecord } from '@ariftly/events'
import type { EventAttributes } from './subscription-index.ts'

/**
 * The attributes by which a record is matched; undefined without tenant or type. Headers alone are read: that the
 * record is a valid event is known from the projection, which holds a row with its position only then.
 */
export function readAttributes(record: RawRecord): EventAttributes | undefined {
  const tenant = headerText(record, 'ce_tenant')
  const type = headerText(record, 'ce_type')
  if (tenant === undefined || type === undefined) return undefined
  return {
    tenant,
    type,
    taskId: headerText(record, 'ce_taskid'),
    sessionId: headerText(record, 'ce_sessionid'),
    agent: headerText(record, 'ce_agent'),
    appendedAtMs: record.timestampMs,
    data: once(() => parseData(record)),
  }
}

/** What is not JSON is not an event either: it has no row, so nothing of it is delivered. */
function parseData(record: RawRecord): unknown {
  try {
    return JSON.parse(record.value?.toString('utf8') ?? '') as unknown
  } catch {
    return undefined
  }
}

/** A header's text; undefined if it is absent or repeated (the record is then no event). */
export function headerText(record: RawRecord, name: string): string | undefined {
  const value = record.headers[name]
  if (typeof value === 'string') return value
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined
}

/** Calls `read` the first time alone. */
export function once(read: () => unknown): () => unknown {
  let value: { readonly read: unknown } | undefined
  return () => (value ??= { read: read() }).read
}
