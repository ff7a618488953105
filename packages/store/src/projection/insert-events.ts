import { parseTypeId, type LogEvent } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { binaryArray } from './binary-array.ts'

/** An event and where it stands in the log. */
export interface ProjectedEvent extends LogEvent {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

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
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[],
        $9::bigint[], $10::timestamptz[], $11::json[])
      ON CONFLICT (tenant_id, id) DO NOTHING`,
    values: toArrays(sorted),
  })
  const inserted = rowCount ?? 0
  return { inserted, duplicates: rows.length - inserted }
}

function byIdThenOffset(a: ProjectedEvent, b: ProjectedEvent): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  return a.offset - b.offset
}

function toArrays(rows: readonly ProjectedEvent[]): Buffer[] {
  return [
    binaryArray(
      'text',
      rows.map((row) => row.tenant),
    ),
    binaryArray(
      'uuid',
      rows.map((row) => uuidBytes(row.id)),
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
      rows.map((row) => row.epoch),
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
      'timestamptz',
      rows.map((row) => row.appendedAtMs),
    ),
    binaryArray(
      'json',
      rows.map((row) => row.data),
    ),
  ]
}

function uuidBytes(id: string): Buffer {
  const bytes = parseTypeId('evt', id)
  if (bytes === undefined) throw new RangeError('not an event id')
  return bytes
}
