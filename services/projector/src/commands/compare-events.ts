import { uuidToTypeId } from '@ariftly/events'
import type { IdBounds, Queryable } from '@ariftly/store'
import { eventArrays, givenEvents, type ProjectedEvent } from '../event-arrays.ts'

/** An event of the log that is missing in the table, or whose row has other content although it is from the same record. */
export interface EventDifference {
  readonly kind: 'missing' | 'differs'
  readonly tenant: string
  readonly id: string
  readonly offset: number
}

/** How events of the log compare with the table. */
interface EventComparison {
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

/** Offsets of a partition, from `from` to `to - 1`. */
export interface OffsetRange {
  readonly partition: number
  readonly from: number
  readonly to: number
}

/**
 * Counts the events of an epoch whose offsets are in these ranges, at most one of each partition, without tenants that are being
 * deleted; a partition without any is left out. Reads the whole table, as no index starts with the position, with one statement for
 * each weekly partition. For the operator's `verify` only.
 */
export async function countEvents(
  db: Queryable,
  o: { readonly epoch: number; readonly ranges: readonly OffsetRange[] },
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>()
  for (const { low, high } of await weeks(db)) {
    const { rows } = await db.query<{ partition: number; count: number }>(
      `SELECT e.partition, count(*) AS count
         FROM events e
         JOIN unnest($2::int[], $3::bigint[], $4::bigint[]) AS r (partition, low, high)
           ON r.partition = e.partition AND e."offset" >= r.low AND e."offset" < r.high
        WHERE e.epoch = $1 AND e.id >= $5 AND e.id < $6
          AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = e.tenant_id AND t.state IN ('deleting', 'deleted'))
        GROUP BY e.partition`,
      [
        o.epoch,
        o.ranges.map(({ partition }) => partition),
        o.ranges.map(({ from }) => from),
        o.ranges.map(({ to }) => to),
        low,
        high,
      ],
    )
    for (const { partition, count } of rows) counts.set(partition, (counts.get(partition) ?? 0) + count)
  }
  return counts
}

/** The range of ids of each weekly partition. */
async function weeks(db: Queryable): Promise<readonly IdBounds[]> {
  const { rows } = await db.query<IdBounds>(
    `SELECT bounds[1] AS low, bounds[2] AS high
       FROM pg_inherits i
       JOIN pg_class c ON c.oid = i.inhrelid
       CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''(.*)''\\) TO \\(''(.*)''\\)') AS bounds
      WHERE i.inhparent = 'events'::regclass
      ORDER BY 1`,
  )
  return rows
}
