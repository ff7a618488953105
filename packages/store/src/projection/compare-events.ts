import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { eventArrays, givenEvents, type ProjectedEvent } from './event-arrays.ts'

/** An event of the log that is missing in the table, or whose row has other content although it is from the same record. */
export interface EventDifference {
  readonly kind: 'missing' | 'differs'
  readonly tenant: string
  readonly id: string
  readonly offset: number
}

/** How events of the log compare with the table. */
export interface EventComparison {
  readonly differing: readonly EventDifference[]
  /** How many of the events have a row from the same record; the others are duplicates of an earlier one. */
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
      FROM ${givenEvents('text')}
      LEFT JOIN events held ON held.tenant_id = given.tenant_id AND held.id = given.id`,
    eventArrays(events, 'text'),
  )
  const fromHere = rows.filter(({ kind }) => kind === 'same' || kind === 'differs').length
  const differing = rows.flatMap((row) => {
    if (row.kind === 'same' || row.kind === 'repost') return []
    return [{ kind: row.kind, tenant: row.tenant_id, id: uuidToTypeId('evt', row.id), offset: row.offset }]
  })
  return { differing, fromHere }
}

/**
 * Counts the events from the offsets `from` to `to - 1` of a partition, without tenants that are being deleted. Scans all weekly
 * partitions, as no index starts with the position. For the operator's `verify` only.
 */
export async function countEventsBetween(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly from: number; readonly to: number },
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*) AS count FROM events
      WHERE epoch = $1 AND partition = $2 AND "offset" >= $3 AND "offset" < $4
        AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = events.tenant_id AND t.state IN ('deleting', 'deleted'))`,
    [o.epoch, o.partition, o.from, o.to],
  )
  return rows[0]?.count ?? 0
}
