import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
import type { PositionAdvance } from '../projection/advance-position.ts'
import type { Queryable } from '../queryable.ts'
import { deriveDeliveryId } from './delivery-id.ts'

/** A record of the log that a webhook wants. */
export interface MatchedEvent {
  readonly tenant: string
  readonly webhookId: string
  readonly eventId: string
  readonly offset: number
  readonly appendedAtMs: number
  readonly traceparent: string | null
}

/** Where the matched records stand. */
export interface MatchedPart {
  readonly epoch: number
  readonly partition: number
  readonly matches: readonly MatchedEvent[]
}

/**
 * Writes one pending delivery, due now, for each match whose event the projection holds at this very position: a repost at
 * another offset and a dead letter have no such row and are skipped. Those that are there already stay as they are.
 * Answers how many were written. By primary key of `events` and `deliveries`.
 */
export async function insertDeliveries(tx: Queryable, o: MatchedPart): Promise<number> {
  if (o.matches.length === 0) return 0
  const { rowCount } = await tx.query(prepared(insertSql(''), insertValues(o)))
  return rowCount ?? 0
}

/**
 * `advancePosition` and `insertDeliveries` in one statement, for matches that were found with this version of the webhooks.
 * Undefined, with nothing changed, when either is not as believed: the position has moved, or the version has. One snapshot
 * covers both, and the position's row is locked and looked at again by its update, as in a transaction of several statements.
 */
export async function advanceWithDeliveries(
  db: Queryable,
  o: MatchedPart & { readonly advance: PositionAdvance; readonly webhooksVersion: number },
): Promise<number | undefined> {
  const { advance } = o
  const { rows } = await db.query<{ advanced: number; written: number }>(
    prepared(ADVANCE_SQL, [
      ...insertValues(o),
      advance.projection,
      advance.topic,
      advance.expected,
      advance.next,
      advance.lastOffset,
      advance.lastId === null ? null : typeIdToUuid('evt', advance.lastId),
      o.webhooksVersion,
    ]),
  )
  return rows[0]?.advanced === 1 ? rows[0].written : undefined
}

/** `only` is a further table of at most one row: without its row nothing is inserted. */
function insertSql(only: string): string {
  // The lateral look-up stays a nested loop by primary key, whatever the planner thinks of the sizes.
  return `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset",
                                  traceparent, due_at)
     SELECT m.id, m.tenant_id, m.webhook_id, m.event_id, e.type, coalesce(e.task_id, e.session_id), $1, $2, m."offset",
            m.traceparent, now()
       FROM ${only} unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[])
              AS m (id, tenant_id, webhook_id, event_id, "offset", traceparent)
      CROSS JOIN LATERAL (
             SELECT type, task_id, session_id
               FROM events
              WHERE tenant_id = m.tenant_id AND id = m.event_id AND epoch = $1 AND partition = $2 AND "offset" = m."offset"
              LIMIT 1) e
     ON CONFLICT DO NOTHING`
}

const ADVANCE_SQL = `
WITH current AS (SELECT FROM webhooks_version WHERE version = $15),
advanced AS (
  UPDATE projection_offsets
     SET next_offset = $12, last_offset = coalesce($13, last_offset), last_id = coalesce($14::uuid, last_id),
         updated_at = now()
    FROM current
   WHERE projection = $9 AND epoch = $1 AND topic = $10 AND partition = $2 AND next_offset = $11
  RETURNING partition),
written AS (${insertSql('advanced CROSS JOIN')} RETURNING partition)
SELECT (SELECT count(*)::int FROM advanced) AS advanced, (SELECT count(*)::int FROM written) AS written`

function insertValues({ epoch, partition, matches }: MatchedPart): unknown[] {
  return [
    epoch,
    partition,
    plainArray(matches.map((match) => typeIdToUuid('dlv', deriveDeliveryId(match)))),
    matches.map((match) => match.tenant),
    plainArray(matches.map((match) => typeIdToUuid('whk', match.webhookId))),
    plainArray(matches.map((match) => typeIdToUuid('evt', match.eventId))),
    plainArray(matches.map((match) => match.offset)),
    matches.map((match) => match.traceparent),
  ]
}
