import type { EventAttributes, RawRecord } from '@ariftly/events'

/** What else than its attributes decides which webhooks want an event. */
export interface Payload {
  readonly appendedAtMs: number
  /** The payload, parsed; undefined if it is no JSON. Called only for a filtered webhook that otherwise wants the event. */
  data(): unknown
}

/**
 * The attributes by which a record is matched. Headers alone are read: that the record is a valid event is known from the
 * projection, which holds a row with its position only then. All of them are read at once: what is delivered needs more of
 * them, and the texts of equal headers are shared.
 */
export function readAttributes(record: RawRecord, tenant: string): EventAttributes {
  return {
    tenant,
    type: headerText(record, 'ce_type') ?? '',
    taskId: headerText(record, 'ce_taskid') ?? null,
    sessionId: headerText(record, 'ce_sessionid') ?? null,
    agent: headerText(record, 'ce_agent') ?? null,
  }
}

/** The payload of a record, parsed at most once. */
export class RecordPayload implements Payload {
  readonly appendedAtMs: number
  readonly #record: RawRecord
  #parsed: { readonly data: unknown } | undefined

  constructor(record: RawRecord) {
    this.appendedAtMs = record.timestampMs
    this.#record = record
  }

  data(): unknown {
    return (this.#parsed ??= { data: parseData(this.#record) }).data
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
