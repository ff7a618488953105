import { parseTypeId, uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { binaryArray } from './binary-array.ts'
import type { ProjectedEvent } from './insert-events.ts'

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
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[], $9::text[])
        AS given (tenant_id, id, type, task_id, agent, session_id, partition, "offset", data)
      JOIN events held ON held.tenant_id = given.tenant_id AND held.id = given.id
      WHERE (held.type, held.task_id, held.agent, held.session_id, held.data::text)
        IS DISTINCT FROM (given.type, given.task_id, given.agent, given.session_id, given.data)`,
    values: [
      binaryArray(
        'text',
        rows.map((row) => row.tenant),
      ),
      binaryArray(
        'uuid',
        rows.map((row) => parseTypeId('evt', row.id) ?? null),
      ),
      binaryArray(
        'text',
        rows.map((row) => row.type),
      ),
      binaryArray(
        'text',
        rows.map((row) => row.taskId),
      ),
      binaryArray(
        'text',
        rows.map((row) => row.agent),
      ),
      binaryArray(
        'text',
        rows.map((row) => row.sessionId),
      ),
      binaryArray(
        'int4',
        rows.map((row) => row.partition),
      ),
      binaryArray(
        'int8',
        rows.map((row) => row.offset),
      ),
      binaryArray(
        'text',
        rows.map((row) => row.data),
      ),
    ],
  })
  return found.map((row) => ({
    tenant: row.tenant_id,
    id: uuidToTypeId('evt', row.id),
    partition: row.partition,
    offset: row.offset,
  }))
}
