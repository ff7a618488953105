import { parseTypeId, type LogEvent } from '@ariftly/events'
import { binaryArray, type ArrayValue } from './binary-array.ts'

/** An event and its position in the log. */
export interface ProjectedEvent extends LogEvent {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

/**
 * The rows of `eventArrays` in a statement, as `given` with the columns of `events`. `json` is for inserts; `text` also compares
 * data that Postgres would refuse as JSON.
 */
export function givenEvents(data: 'json' | 'text'): string {
  return `unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::bigint[],
        $10::timestamptz[], $11::${data}[])
        AS given (tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data)`
}

/** The parameters $1 to $11 of `givenEvents`: one binary array a column. */
export function eventArrays(rows: readonly ProjectedEvent[], data: 'json' | 'text'): Buffer[] {
  const column = (type: Parameters<typeof binaryArray>[0], value: (row: ProjectedEvent) => ArrayValue): Buffer =>
    binaryArray(type, rows.map(value))
  return [
    column('text', (row) => row.tenant),
    column('uuid', (row) => uuidBytes(row.id)),
    column('text', (row) => row.type),
    column('text', (row) => row.taskId),
    column('text', (row) => row.agent),
    column('text', (row) => row.sessionId),
    column('int4', (row) => row.epoch),
    column('int4', (row) => row.partition),
    column('int8', (row) => row.offset),
    column('timestamptz', (row) => row.appendedAtMs),
    column(data, (row) => row.data),
  ]
}

function uuidBytes(id: string): Buffer {
  const bytes = parseTypeId('evt', id)
  if (bytes === undefined) throw new RangeError('not an event id')
  return bytes
}
