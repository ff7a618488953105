import { readMatchableEvents, type MatchableEvents } from './read-matchable-events.ts'
import { defineRow, plain, tenant, type RowOf, exists, type Queryable } from '@ariftly/store'
import { ifPast } from './if-past.ts'

const backlogRow = defineRow('b', {
  epoch: plain<number>(),
  partition: plain<number>(),
  tenant,
  /** Where it began: names it. */
  firstOffset: plain<number>(),
  nextOffset: plain<number>(),
  endOffset: plain<number>(),
})

/** A tenant's records of one part of the log that are still to be matched: from `nextOffset` to below `endOffset`. */
export type MatchBacklog = RowOf<typeof backlogRow>

/**
 * Locks the next backlog: tenants take turns, and each partition of a tenant is worked off in the order of the log. Skipped
 * are backlogs that another worker holds, those of `exceptTenants`, and those whose records the projection does not hold (it is being
 * rebuilt). Undefined when there is none. Reads all backlogs: a tenant has few in a partition.
 */
export async function lockNextMatchBacklog(
  tx: Queryable,
  o: { readonly topic: string; readonly exceptTenants?: readonly string[] },
): Promise<MatchBacklog | undefined> {
  const locked = await tx.query(
    `WITH turns AS (SELECT tenant_id, max(${ifPast('updated_at')}) AS last_turn FROM match_backlogs GROUP BY tenant_id)
     SELECT ${backlogRow.columns}
       FROM match_backlogs b JOIN turns USING (tenant_id)
      WHERE b.tenant_id <> ALL ($2::text[])
        AND NOT EXISTS (
              SELECT FROM match_backlogs lower
               WHERE lower.epoch = b.epoch AND lower.partition = b.partition AND lower.tenant_id = b.tenant_id
                 AND lower.first_offset < b.first_offset)
        AND EXISTS (
              SELECT FROM projection_offsets p
               WHERE p.projection = 'events' AND p.epoch = b.epoch AND p.topic = $1 AND p.partition = b.partition
                 AND p.next_offset >= b.end_offset)
      ORDER BY turns.last_turn NULLS FIRST, ${ifPast('b.updated_at')} NULLS FIRST
      LIMIT 1
        FOR UPDATE OF b SKIP LOCKED`,
    [o.topic, o.exceptTenants ?? []],
  )
  return backlogRow.readFirst(locked)
}

/** Whether there is any backlog, on this worker or another. */
export const anyMatchBacklog = exists('match_backlogs')

/** The first `limit` events of a backlog, in the order of the log; with large payloads fewer. A range of events_position. */
export async function readMatchBacklog(
  tx: Queryable,
  backlog: MatchBacklog,
  o: { readonly limit: number; readonly withData: boolean },
): Promise<MatchableEvents> {
  return await readMatchableEvents(tx, {
    ...o,
    where: `tenant_id = $1 AND epoch = $2 AND partition = $3 AND "offset" >= $4 AND "offset" < $5`,
    values: [backlog.tenant, backlog.epoch, backlog.partition, backlog.nextOffset, backlog.endOffset],
  })
}

/** Moves a backlog whose row this transaction holds on to `nextOffset`; at its end it is gone. By primary key. */
export async function advanceMatchBacklog(tx: Queryable, backlog: MatchBacklog, nextOffset: number): Promise<void> {
  const key = [backlog.epoch, backlog.partition, backlog.tenant, backlog.firstOffset]
  if (nextOffset >= backlog.endOffset) {
    await tx.query(`DELETE FROM match_backlogs WHERE ${KEY}`, key)
  } else {
    await tx.query(`UPDATE match_backlogs SET next_offset = $5, updated_at = clock_timestamp() WHERE ${KEY}`, [
      ...key,
      nextOffset,
    ])
  }
}

const KEY = 'epoch = $1 AND partition = $2 AND tenant_id = $3 AND first_offset = $4'
