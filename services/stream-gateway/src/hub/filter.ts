import { EVENT_TYPES, renderEvent, type EventFilter } from '@ariftly/events'
import type { Routed } from '../log/read-routed.ts'

/** The filter of a stream, always of one tenant. */
export interface StreamFilter {
  readonly tenant: string
  readonly taskId: string | undefined
  readonly sessionId: string | undefined
  readonly agent: string | undefined
  /** One bit a type ({@link typeBit}); all bits when types are not filtered. */
  readonly types: number
  /** The whole event object as data, instead of the payload. */
  readonly envelope: boolean
}

/** All ten types. */
export const ALL_TYPES = 2 ** EVENT_TYPES.length - 1

const BITS: ReadonlyMap<string, number> = new Map(EVENT_TYPES.map((type, index) => [type, 1 << index]))

/** The bit of a type in {@link StreamFilter.types}; 0 for a text that is no type. */
export function typeBit(type: string): number {
  return BITS.get(type) ?? 0
}

/** Makes a stream's filter. */
export function streamFilter(tenant: string, filter: EventFilter, envelope: boolean): StreamFilter {
  return {
    tenant,
    taskId: filter.taskId,
    sessionId: filter.sessionId,
    agent: filter.agent,
    types: filter.types === undefined ? ALL_TYPES : filter.types.reduce((bits, type) => bits | typeBit(type), 0),
    envelope,
  }
}

/** The filter as queries take it. */
export function toEventFilter(filter: StreamFilter): EventFilter {
  return {
    ...(filter.taskId === undefined ? {} : { taskId: filter.taskId }),
    ...(filter.sessionId === undefined ? {} : { sessionId: filter.sessionId }),
    ...(filter.agent === undefined ? {} : { agent: filter.agent }),
    ...(filter.types === ALL_TYPES
      ? {}
      : { types: EVENT_TYPES.filter((type) => (filter.types & typeBit(type)) !== 0) }),
  }
}

/** Whether a stream shows a record. */
export function matches(filter: StreamFilter, record: Routed): boolean {
  return matchesAttributes(filter, record) && (filter.types & typeBit(record.type)) !== 0
}

/** Whether a stream shows a record if it shows the record's type. */
export function matchesAttributes(filter: StreamFilter, record: Routed): boolean {
  return (
    filter.tenant === record.tenant &&
    (filter.taskId === undefined || filter.taskId === record.taskId) &&
    (filter.sessionId === undefined || filter.sessionId === record.sessionId) &&
    (filter.agent === undefined || filter.agent === record.agent)
  )
}

/** Whether two streams show the same bytes. */
export function sameFilter(a: StreamFilter, b: StreamFilter): boolean {
  return (
    a.tenant === b.tenant &&
    a.taskId === b.taskId &&
    a.sessionId === b.sessionId &&
    a.agent === b.agent &&
    a.types === b.types &&
    a.envelope === b.envelope
  )
}

/** The `data:` line of a frame. */
export function dataFor(
  filter: StreamFilter,
  event: Parameters<typeof renderEvent>[0] & { readonly data: Buffer },
): Buffer {
  return filter.envelope ? renderEvent(event) : event.data
}
