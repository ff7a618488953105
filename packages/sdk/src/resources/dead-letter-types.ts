/** A record of the log that is no event. Written by hand, since the OpenAPI document does not describe dead letters. */
export interface DeadLetter {
  readonly object: 'dead_letter'
  readonly id: string
  /** ISO 8601. */
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

/** Query parameters of `deadLetters.list`. */
export interface DeadLetterQuery {
  readonly reason?: string
  /** ISO 8601. */
  readonly after?: string
  /** ISO 8601. */
  readonly before?: string
  /** 1 to 500; default 50. */
  readonly limit?: number
  /** The `next_cursor` of the page before. */
  readonly cursor?: string
}
