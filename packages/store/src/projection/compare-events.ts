import { parseTypeId, uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { binaryArray } from './binary-array.ts'
import type { ProjectedEvent } from './insert-events.ts'

/** An event of the log that the table lacks, or whose row has other content although it came from that very record. */
export interface EventDifference {
  readonly kind: 'missing' | 'differs'
  readonly tenant: string
  readonly id: string
  readonly offset: number
}

export interface EventComparison {
  readonly differing: readonly EventDifference[]
  /** How many of the events have a row that came from this very record; the others are reposts of an earlier one. */
  readonly fromHere: number
}

interface Row {
  readonly kind: 'missing' | 'differs' | 'same' | 'repost'
  readonly tenant_id: string
  readonly id: string
  readonly offset: number
}

/** Compares events of the log, all of one partition, with the table. One statement; by primary key. */
export async function compareEvents(db: Queryable, events: readonly ProjectedEvent[]): Promise<EventComparison> {
  if (events.length === 0) return { differing: [], fromHere: 0 }
  const { rows } = await db.query<Row>(
    `SELECT given.tenant_id, given.id::text, given."offset",
        CASE
          WHEN held.id IS NULL THEN 'missing'
          WHEN (held.epoch, held.partition, held."offset") IS DISTINCT FROM (given.epoch, given.partition, given."offset")
            THEN 'repost'
          WHEN (held.type, held.task_id, held.agent, held.session_id, held.appended_at, held.data::text)
            IS DISTINCT FROM (given.type, given.task_id, given.agent, given.session_id, given.appended_at, given.data)
            THEN 'differs'
          ELSE 'same'
        END AS kind
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::bigint[],
        $10::timestamptz[], $11::text[])
        AS given (tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data)
      LEFT JOIN events held ON held.tenant_id = given.tenant_id AND held.id = given.id`,
    [
      binaryArray(
        'text',
        events.map((event) => event.tenant),
      ),
      binaryArray(
        'uuid',
        events.map((event) => parseTypeId('evt', event.id) ?? null),
      ),
      binaryArray(
        'text',
        events.map((event) => event.type),
      ),
      binaryArray(
        'text',
        events.map((event) => event.taskId),
      ),
      binaryArray(
        'text',
        events.map((event) => event.agent),
      ),
      binaryArray(
        'text',
        events.map((event) => event.sessionId),
      ),
      binaryArray(
        'int4',
        events.map((event) => event.epoch),
      ),
      binaryArray(
        'int4',
        events.map((event) => event.partition),
      ),
      binaryArray(
        'int8',
        events.map((event) => event.offset),
      ),
      binaryArray(
        'timestamptz',
        events.map((event) => event.appendedAtMs),
      ),
      binaryArray(
        'text',
        events.map((event) => event.data),
      ),
    ],
  )
  const fromHere = rows.filter(({ kind }) => kind === 'same' || kind === 'differs').length
  const differing = rows.flatMap((row) => {
    if (row.kind === 'same' || row.kind === 'repost') return []
    return [{ kind: row.kind, tenant: row.tenant_id, id: uuidToTypeId('evt', row.id), offset: row.offset }]
  })
  return { differing, fromHere }
}
