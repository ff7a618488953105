import type { LogEvent } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** An event and where it stands in the log. */
export interface ProjectedEvent extends LogEvent {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

export interface InsertedEvents {
  readonly inserted: number
  /** Events whose (tenant, id) was there already, or twice among the rows. */
  readonly duplicates: number
}

export async function insertEvents(_tx: Queryable, _rows: readonly ProjectedEvent[]): Promise<InsertedEvents> {
  throw new Error('being written')
}
