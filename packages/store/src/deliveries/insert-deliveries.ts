import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
import type { PositionAdvance } from '../projection/advance-position.ts'
import type { Queryable } from '../queryable.ts'
import { deriveDeliveryId } from './delivery-id.ts'

/** A record of the log and the webhooks that want it. */
export interface MatchedEvent {
  readonly tenant: string
  readonly eventId: string
  readonly offset: number
  readonly appendedAtMs: number
  readonly traceparent: string | null
  /** Each once. */
  readonly webhookIds: readonly string[]
}

/** Matched records of one partition. */
export interface MatchedPart {
  readonly epoch: number
  readonly partition: number
  readonly matches: readonly MatchedEvent[]
}

/**
 * Writes one pending delivery, due now, for each webhook of each match whose event the projection holds at this very
 * position: a duplicate at another offset and a dead letter have no such row and are skipped. Deliveries that exist stay as
 * they are. Returns how many were written. By primary key of `events` and `deliveries`.
 */
export async function insertDeliveries(tx: Queryable, o: MatchedPart): Promise<number> {
  if (o.matches.length === 0) return 0
  const { rowCount } = await tx.query(prepared(insertSql(''), insertValues(o)))
  return rowCount ?? 0
}

/** A part of the log as the matcher has seen it. */
export interface PassedPart extends MatchedPart {
  readonly advance: PositionAdvance
  /** Undefined: the webhooks were read after these records, so a newer version changes nothing for them. */
  readonly webhooksVersion: number | undefined
  /** Tenants whose records are left for later, each with the first of them. */
  readonly deferred: ReadonlyMap<string, number>
}

/**
 * What came of {@link advanceWithDeliveries}: `written`; or nothing changed, because the webhooks are not those that were
 * matched (`webhooks_changed`), the projection of events has not come so far (`not_projected`: a failover of Postgres may
 * have undone what was read earlier), earlier records of a tenant that has matches are still to be matched (`backlogged`),
 * or the stored position is another (`moved`).
 */
export type MatchedWrite =
  | {
      readonly type: 'written'
      readonly deliveries: number
      /** Of the deferred tenants, those that had no backlog before. */
      readonly opened: readonly string[]
    }
  | { readonly type: 'backlogged'; readonly tenants: readonly string[] }
  | { readonly type: 'webhooks_changed' | 'not_projected' | 'moved' }

interface AdvanceColumns {
  readonly advanced: number
  readonly written: number
  readonly current: boolean
  readonly projected: boolean
  readonly blocked: string[] | null
  readonly opened: string[] | null
}

/**
 * Moves the matcher's position and writes the deliveries and backlogs of what lies in between, in one statement: one snapshot
 * covers the version of the webhooks, the projection's position, the backlogs and the deliveries' events, and the update
 * locks the position's row. A tenant's deliveries are written in the order of the log: what follows on a backlog joins it.
 */
export async function advanceWithDeliveries(db: Queryable, o: PassedPart): Promise<MatchedWrite> {
  const { advance, deferred } = o
  const { rows } = await db.query<AdvanceColumns>(
    prepared(ADVANCE_SQL, [
      ...insertValues(o),
      advance.projection,
      advance.topic,
      advance.expected,
      advance.next,
      advance.lastOffset,
      advance.lastId === null ? null : typeIdToUuid('evt', advance.lastId),
      o.webhooksVersion ?? null,
      [...new Set(o.matches.map(({ tenant }) => tenant))],
      [...deferred.keys()],
      [...deferred.values()],
    ]),
  )
  const [row] = rows
  if (row?.advanced === 1) return { type: 'written', deliveries: row.written, opened: row.opened ?? [] }
  if (row?.current === false) return { type: 'webhooks_changed' }
  if (row?.blocked) return { type: 'backlogged', tenants: row.blocked }
  return { type: row?.projected === false ? 'not_projected' : 'moved' }
}

/**
 * `only` is a further table of at most one row: without its row nothing is inserted. The lateral look-up stays a nested loop
 * by primary key, and each event is looked up once, however many webhooks want it.
 */
function insertSql(only: string): string {
  return `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset",
                                  traceparent, due_at)
     SELECT d.id, m.tenant_id, d.webhook_id, m.event_id, e.type, coalesce(e.task_id, e.session_id), $1, $2, m."offset",
            m.traceparent, now()
       FROM ${only} unnest($3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[])
              AS m (tenant_id, event_id, "offset", traceparent, delivery_ids, webhook_ids)
      CROSS JOIN LATERAL (
             SELECT type, task_id, session_id
               FROM events
              WHERE tenant_id = m.tenant_id AND id = m.event_id AND epoch = $1 AND partition = $2 AND "offset" = m."offset"
              LIMIT 1) e
      CROSS JOIN LATERAL unnest(m.delivery_ids::uuid[], m.webhook_ids::uuid[]) AS d (id, webhook_id)
     ON CONFLICT DO NOTHING`
}

const ADVANCE_SQL = `
WITH webhooks AS (SELECT $15::bigint IS NULL OR version = $15 AS current FROM webhooks_version),
projected AS (
  SELECT FROM projection_offsets
   WHERE projection = 'events' AND epoch = $1 AND topic = $10 AND partition = $2 AND next_offset >= $12),
blocked AS (
  SELECT DISTINCT tenant_id FROM match_backlogs WHERE epoch = $1 AND partition = $2 AND tenant_id = ANY ($16::text[])),
advanced AS (
  UPDATE projection_offsets o
     SET next_offset = $12, last_offset = coalesce($13, o.last_offset), last_id = coalesce($14::uuid, o.last_id),
         updated_at = now()
    FROM webhooks, projected
   WHERE webhooks.current AND NOT EXISTS (SELECT FROM blocked)
     AND o.projection = $9 AND o.epoch = $1 AND o.topic = $10 AND o.partition = $2 AND o.next_offset = $11
  RETURNING o.partition),
deferred AS (
  INSERT INTO match_backlogs (epoch, partition, tenant_id, first_offset, next_offset, end_offset)
  SELECT $1, $2, t.tenant_id, t.from_offset, t.from_offset, $12
    FROM advanced CROSS JOIN unnest($17::text[], $18::bigint[]) AS t (tenant_id, from_offset)
  RETURNING tenant_id),
opened AS (
  SELECT tenant_id FROM deferred
   WHERE NOT EXISTS (SELECT FROM match_backlogs b WHERE b.epoch = $1 AND b.partition = $2 AND b.tenant_id = deferred.tenant_id)),
written AS (${insertSql('advanced CROSS JOIN')} RETURNING partition)
SELECT (SELECT count(*)::int FROM advanced) AS advanced, (SELECT count(*)::int FROM written) AS written,
       (SELECT current FROM webhooks) AS current, EXISTS (SELECT FROM projected) AS projected,
       (SELECT array_agg(tenant_id) FROM blocked) AS blocked,
       (SELECT array_agg(tenant_id) FROM opened) AS opened`

function insertValues({ epoch, partition, matches }: MatchedPart): unknown[] {
  return [
    epoch,
    partition,
    matches.map((match) => match.tenant),
    plainArray(matches.map((match) => typeIdToUuid('evt', match.eventId))),
    plainArray(matches.map((match) => match.offset)),
    matches.map((match) => match.traceparent),
    matches.map((match) => plainArray(deliveryIds(match))),
    matches.map((match) => plainArray(match.webhookIds.map((id) => typeIdToUuid('whk', id)))),
  ]
}

function deliveryIds(match: MatchedEvent): string[] {
  return match.webhookIds.map((webhookId) => typeIdToUuid('dlv', deriveDeliveryId({ ...match, webhookId })))
}
