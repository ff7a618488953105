/** The attributes of an event by which it is given out: to lists, streams and webhooks. */
export interface EventAttributes {
  readonly tenant: string
  /** An event type; any text if it is read from a record that is a dead letter. */
  readonly type: string
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
}

/**
 * The attributes that a filter may name, narrowest first, each with its name in queries, in bodies and as a column. Readers go
 * through this table, so that a line here and one in {@link VALUE_OF} add a filter to all of them.
 */
export const FILTER_NAMES = {
  taskId: 'task_id',
  sessionId: 'session_id',
  agent: 'agent',
} as const satisfies Partial<Record<keyof EventAttributes, string>>

/** An attribute that a filter may name. */
export type FilterMember = keyof typeof FILTER_NAMES

/** What a filter names, or an event has; null is nothing. */
export type FilterValues = { readonly [M in FilterMember]: string | null }

/** In the order of {@link FILTER_NAMES}. */
export const FILTER_MEMBERS = Object.keys(FILTER_NAMES) as readonly FilterMember[]

/** Reads each attribute. A function for each is several times as fast as access by a name that varies. */
const VALUE_OF: { readonly [M in FilterMember]: (of: FilterValues) => string | null } = {
  taskId: (of) => of.taskId,
  sessionId: (of) => of.sessionId,
  agent: (of) => of.agent,
}

/** The functions of {@link VALUE_OF}, in the order of {@link FILTER_MEMBERS}. */
export const VALUE_READERS = FILTER_MEMBERS.map((member) => VALUE_OF[member])

/** The headers of a record. */
interface RecordHeaders {
  /** The text of the first header of a name; undefined if there is none. */
  headerText(name: string): string | undefined
}

/**
 * The attributes of a record, each read from its headers on first access: one or two of them decide about most records. Whether
 * the record is an event at all is known only once it is decoded.
 */
export class RecordAttributes implements EventAttributes {
  readonly tenant: string
  readonly #record: RecordHeaders
  #type: string | undefined
  #taskId: string | null | undefined
  #sessionId: string | null | undefined
  #agent: string | null | undefined

  constructor(record: RecordHeaders, tenant: string) {
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
