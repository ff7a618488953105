import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import { eventArrays, givenEvents, type ProjectedEvent } from './event-arrays.ts'

/** What {@link insertEvents} has done. */
interface InsertedEvents {
  readonly inserted: number
  /** Events whose (tenant, id) existed already, or was earlier among the rows. */
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

/** An id that was posted again with other content, or under another task. */
export interface EventIdConflict {
  readonly tenant: string
  readonly id: string
  readonly partition: number
  readonly offset: number
}

/**
 * Finds among events that were just given to `insertEvents` those whose id is held by a row that differs in content. Runs
 * in the same transaction. By primary key; partitions are pruned for each row.
 */
export async function findConflicts(
  tx: Queryable,
  rows: readonly ProjectedEvent[],
): Promise<readonly EventIdConflict[]> {
  const { rows: found } = await tx.query<{ tenant_id: string; id: string; partition: number; offset: number }>({
    name: 'find-conflicts',
    text: `SELECT given.tenant_id, given.id::text, given.partition, given."offset"
      FROM ${givenEvents('text')}
      JOIN events held ON held.tenant_id = given.tenant_id AND held.id = given.id
      WHERE (held.type, held.task_id, held.agent, held.session_id, held.data::text)
        IS DISTINCT FROM (given.type, given.task_id, given.agent, given.session_id, given.data)`,
    values: eventArrays(rows, 'text'),
  })
  return found.map((row) => ({
    tenant: row.tenant_id,
    id: uuidToTypeId('evt', row.id),
    partition: row.partition,
    offset: row.offset,
  }))
}
