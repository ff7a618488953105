import type { EventType } from '../types.ts'

/** Of every list. */
export interface Paging {
  /** 1 to 500; default 50. */
  readonly limit?: number
  readonly cursor?: string
}

/** A record of the log that is no event. */
export interface DeadLetter {
  readonly object: 'dead_letter'
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly detail: string
  readonly source: string | null
  readonly partition: number
  readonly offset: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly value_preview: string | null
}

/** Which dead letters. */
export interface DeadLetterQuery extends Paging {
  readonly reason?: string
  readonly after?: string
  readonly before?: string
}

/** A type of the catalogue. */
export interface EventTypeDescription {
  readonly object: 'event_type'
  readonly type: EventType
  readonly description: string
  /** JSON Schema of `data`. */
  readonly schema: Readonly<Record<string, unknown>>
  /** An example of `data`. */
  readonly example: Readonly<Record<string, unknown>>
}
