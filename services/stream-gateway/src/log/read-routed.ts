import type { RecordView } from '@ariftly/kafka'

/** The attributes that decide who gets a record. */
export interface Routed {
  readonly tenant: string
  /** An event type; any string if the record is a dead letter. */
  readonly type: string
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
}

const SLASH = 0x2f

/** The previous record's tenant: most records arrive in runs of one tenant, whose name need not be decoded again. */
let last = { tenant: '', prefix: '/' }

/** The tenant of a record, as its key names it (`<tenant>/<task or session>`). */
export function tenantOf(record: RecordView): string | undefined {
  if (record.keyStartsWith(last.prefix)) return last.tenant
  const tenant = record.keyTextBefore(SLASH)
  if (tenant !== undefined) last = { tenant, prefix: `${tenant}/` }
  return tenant
}

/**
 * The attributes that decide who gets a record, each read from its headers on access, without decoding the record. Whether
 * the record is an event at all is known only once it is decoded.
 */
export function routedOf(record: RecordView, tenant: string): Routed {
  return new RoutedRecord(record, tenant)
}

class RoutedRecord implements Routed {
  readonly tenant: string
  readonly #record: RecordView
  #type: string | undefined
  #taskId: string | null | undefined
  #sessionId: string | null | undefined
  #agent: string | null | undefined

  constructor(record: RecordView, tenant: string) {
    this.tenant = tenant
    this.#record = record
  }

  get type(): string {
    return (this.#type ??= this.#record.headerText('ce_type') ?? '')
  }

  get taskId(): string | null {
    if (this.#taskId === undefined) this.#taskId = this.#record.headerText('ce_taskid') ?? null
    return this.#taskId
  }

  get sessionId(): string | null {
    if (this.#sessionId === undefined) this.#sessionId = this.#record.headerText('ce_sessionid') ?? null
    return this.#sessionId
  }

  get agent(): string | null {
    if (this.#agent === undefined) this.#agent = this.#record.headerText('ce_agent') ?? null
    return this.#agent
  }
}
