/** Where a projection stands in a partition of the log. */
export interface ProjectionPosition {
  /** The first offset not yet handled. */
  readonly nextOffset: number
  /** Offset of the last record handled that had a valid event id; null when there was none yet. */
  readonly lastOffset: number | null
  /** The event id (`evt_…`) of that record. */
  readonly lastId: string | null
}

/** Whose positions are meant: a projection (`events`, `webhooks`) of one epoch of a topic. */
export interface ProjectionKey {
  readonly projection: string
  readonly epoch: number
  readonly topic: string
}
