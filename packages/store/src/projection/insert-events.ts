import type { Queryable } from '../queryable.ts'
import { eventArrays, givenEvents, type ProjectedEvent } from './event-arrays.ts'

/** What {@link insertEvents} has done. */
export interface InsertedEvents {
  readonly inserted: number
  /** Events whose (tenant, id) was there already, or stood earlier among the rows. */
  readonly duplicates: number
}

/**
 * Inserts events into their weekly partitions, which must exist; one whose (tenant, id) is there already is ignored, so
 * the first copy stays. Rows are written in order of id (of equal ids the lowest offset first), so that two transactions
 * take their locks in one order. One statement; dedupe by primary key (tenant_id, id).
 */
export async function insertEvents(tx: Queryable, rows: readonly ProjectedEvent[]): Promise<InsertedEvents> {
  if (rows.length === 0) return { inserted: 0, duplicates: 0 }
  const sorted = rows.toSorted(byIdThenOffset)
  const { rowCount } = await tx.query({
    name: 'insert-events',
    text: `INSERT INTO events (tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data)
      SELECT * FROM ${givenEvents('json')}
      ON CONFLICT (tenant_id, id) DO NOTHING`,
    values: eventArrays(sorted, 'json'),
  })
  const inserted = rowCount ?? 0
  return { inserted, duplicates: rows.length - inserted }
}

function byIdThenOffset(a: ProjectedEvent, b: ProjectedEvent): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  return a.offset - b.offset
}
