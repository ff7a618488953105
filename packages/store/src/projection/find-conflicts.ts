import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { eventArrays, givenEvents, type ProjectedEvent } from './event-arrays.ts'

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
