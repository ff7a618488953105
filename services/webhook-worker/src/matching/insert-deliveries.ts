import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared, type Queryable } from '@ariftly/store'
import type { PositionAdvance, ProjectionKey } from '@ariftly/store/projection'
import { isNotDeleted } from '@ariftly/store/tenants'
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
 * position: a duplicate at another offset and a dead letter have no such row and are skipped, and so are deleted tenants.
 * Deliveries that exist stay as they are. Returns how many were written. By primary key of `events` and `deliveries`.
 */
export async function insertDeliveries(tx: Queryable, o: MatchedPart): Promise<number> {
  if (o.matches.length === 0) return 0
  const { rowCount } = await tx.query(prepared(insertSql(''), insertValues(o.epoch, [o])))
  return rowCount ?? 0
}

/** A part of the log as the matcher has seen it. */
export interface PassedPart {
  readonly partition: number
  readonly matches: readonly MatchedEvent[]
  readonly advance: Omit<PositionAdvance, 'partition'>
  /** Undefined: the webhooks were read after these records, so a newer version changes nothing for them. */
  readonly webhooksVersion: number | undefined
  /** Tenants whose records are left for later, each with the first of them. */
  readonly deferred: ReadonlyMap<string, number>
}

/**
 * Result of {@link advanceWithDeliveries}: `written`; or nothing changed, because the webhooks are not the matched
 * ones (`webhooks_changed`), the projection of events is not that far (`not_projected`: a failover of Postgres may
 * have undone what was read earlier), earlier records of a tenant that has matches are still to be matched (`backlogged`),
 * or the stored position is another (`moved`).
 */
export type MatchedWrite =
  | {
      readonly type: 'written'
      readonly deliveries: number
      /** The deferred tenants that had no backlog before. */
      readonly opened: readonly string[]
    }
  | { readonly type: 'backlogged'; readonly tenants: readonly string[] }
  | { readonly type: 'webhooks_changed' | 'not_projected' | 'moved' }

interface AdvanceColumns {
  readonly advanced: boolean
  readonly written: number
  readonly current: boolean
  readonly projected: boolean
  readonly blocked: string[] | null
  readonly opened: string[] | null
}

/**
 * Moves the matcher's positions and writes the deliveries and backlogs of what lies in between, in one statement for parts of
 * several partitions, each with a result of its own: one snapshot covers the version of the webhooks, the projection's
 * positions, the backlogs and the deliveries' events, and the update locks the positions' rows. A tenant's deliveries of a
 * partition are written in the order of the log: what follows on a backlog joins it. The newest backlog of a tenant in a
 * partition grows, unless a worker holds it now: then another one begins. No two parts are of one partition.
 */
export async function advanceWithDeliveries(
  db: Queryable,
  o: ProjectionKey & { readonly parts: readonly PassedPart[] },
): Promise<readonly MatchedWrite[]> {
  // One order for all, so that two statements do not wait for each other's rows in a circle.
  const parts = o.parts.toSorted((a, b) => a.partition - b.partition)
  const { rows } = await db.query<AdvanceColumns>(
    prepared(ADVANCE_SQL, [...insertValues(o.epoch, parts), o.projection, o.topic, ...advanceValues(parts)]),
  )
  const results = new Map(parts.map(({ partition }, index) => [partition, toMatchedWrite(rows[index])]))
  return o.parts.map(({ partition }) => results.get(partition) ?? { type: 'moved' })
}

function toMatchedWrite(row: AdvanceColumns | undefined): MatchedWrite {
  if (row?.advanced === true) return { type: 'written', deliveries: row.written, opened: row.opened ?? [] }
  if (row?.current === false) return { type: 'webhooks_changed' }
  if (row?.blocked) return { type: 'backlogged', tenants: row.blocked }
  return { type: row?.projected === false ? 'not_projected' : 'moved' }
}

/**
 * `only` is a further table with a row for each partition that is written: nothing is inserted without it. The lateral look-up
 * stays a nested loop by primary key, and each event is looked up once for all webhooks that want it.
 */
function insertSql(only: string): string {
  return `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset",
                                  traceparent, due_at)
     SELECT d.id, m.tenant_id, d.webhook_id, m.event_id, e.type, coalesce(e.task_id, e.session_id), $1, m.partition, m."offset",
            m.traceparent, now()
       FROM unnest($2::int[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[])
              AS m (partition, tenant_id, event_id, "offset", traceparent, delivery_ids, webhook_ids)
      ${only}
      CROSS JOIN LATERAL (
             SELECT type, task_id, session_id
               FROM events
              WHERE tenant_id = m.tenant_id AND id = m.event_id AND epoch = $1 AND partition = m.partition
                AND "offset" = m."offset"
              LIMIT 1) e
      CROSS JOIN LATERAL unnest(m.delivery_ids::uuid[], m.webhook_ids::uuid[]) AS d (id, webhook_id)
      WHERE ${isNotDeleted('m.tenant_id', '$3')}
     ON CONFLICT DO NOTHING`
}

const ADVANCE_SQL = `
WITH part AS (
  SELECT * FROM unnest($11::int[], $12::bigint[], $13::bigint[], $14::bigint[], $15::uuid[], $16::bigint[])
    WITH ORDINALITY AS p (partition, expected, next, last_offset, last_id, version, place)),
current AS (SELECT p.partition FROM part p JOIN webhooks_version v ON p.version IS NULL OR p.version = v.version),
projected AS (
  SELECT p.partition
    FROM part p JOIN projection_offsets o
      ON o.projection = 'events' AND o.epoch = $1 AND o.topic = $10 AND o.partition = p.partition AND o.next_offset >= p.next),
blocked AS (
  SELECT DISTINCT t.partition, t.tenant_id
    FROM unnest($17::int[], $18::text[]) AS t (partition, tenant_id)
    JOIN match_backlogs b ON b.epoch = $1 AND b.partition = t.partition AND b.tenant_id = t.tenant_id),
advanced AS (
  UPDATE projection_offsets o
     SET next_offset = p.next, last_offset = coalesce(p.last_offset, o.last_offset), last_id = coalesce(p.last_id, o.last_id),
         updated_at = now()
    FROM part p
   WHERE p.partition IN (SELECT partition FROM current) AND p.partition IN (SELECT partition FROM projected)
     AND p.partition NOT IN (SELECT partition FROM blocked)
     AND o.projection = $9 AND o.epoch = $1 AND o.topic = $10 AND o.partition = p.partition AND o.next_offset = p.expected
  RETURNING o.partition, o.next_offset),
late AS (
  SELECT a.partition, t.tenant_id, t.from_offset, a.next_offset AS end_offset
    FROM advanced a JOIN unnest($19::int[], $20::text[], $21::bigint[]) AS t (partition, tenant_id, from_offset) USING (partition)),
newest AS (
  SELECT b.partition, b.tenant_id, b.first_offset, late.end_offset
    FROM late JOIN match_backlogs b
      ON b.epoch = $1 AND b.partition = late.partition AND b.tenant_id = late.tenant_id
     AND b.first_offset = (
           SELECT max(n.first_offset) FROM match_backlogs n
            WHERE n.epoch = $1 AND n.partition = late.partition AND n.tenant_id = late.tenant_id)
   ORDER BY b.partition, b.tenant_id
     FOR UPDATE OF b SKIP LOCKED),
extended AS (
  UPDATE match_backlogs b SET end_offset = newest.end_offset FROM newest
   WHERE b.epoch = $1 AND b.partition = newest.partition AND b.tenant_id = newest.tenant_id
     AND b.first_offset = newest.first_offset
  RETURNING b.partition, b.tenant_id),
deferred AS (
  INSERT INTO match_backlogs (epoch, partition, tenant_id, first_offset, next_offset, end_offset)
  SELECT $1, partition, tenant_id, from_offset, from_offset, end_offset
    FROM late
   WHERE (partition, tenant_id) NOT IN (SELECT partition, tenant_id FROM extended)
     AND ${isNotDeleted('tenant_id', '$20')}
  RETURNING partition, tenant_id),
opened AS (
  SELECT partition, tenant_id FROM deferred
   WHERE NOT EXISTS (
           SELECT FROM match_backlogs b
            WHERE b.epoch = $1 AND b.partition = deferred.partition AND b.tenant_id = deferred.tenant_id)),
written AS (${insertSql('JOIN advanced a ON a.partition = m.partition')} RETURNING partition)
SELECT p.partition IN (SELECT partition FROM advanced) AS advanced,
       (SELECT count(*)::int FROM written w WHERE w.partition = p.partition) AS written,
       p.partition IN (SELECT partition FROM current) AS current,
       p.partition IN (SELECT partition FROM projected) AS projected,
       (SELECT array_agg(tenant_id) FROM blocked b WHERE b.partition = p.partition) AS blocked,
       (SELECT array_agg(tenant_id) FROM opened o WHERE o.partition = p.partition) AS opened
  FROM part p ORDER BY p.place`

/** $1 to $8. */
function insertValues(epoch: number, parts: readonly Pick<PassedPart, 'partition' | 'matches'>[]): unknown[] {
  const partitions = parts.flatMap(({ partition, matches }) => matches.map(() => partition))
  const matches = parts.flatMap((part) => part.matches)
  return [
    epoch,
    plainArray(partitions),
    matches.map((match) => match.tenant),
    plainArray(matches.map((match) => typeIdToUuid('evt', match.eventId))),
    plainArray(matches.map((match) => match.offset)),
    matches.map((match) => match.traceparent),
    matches.map((match) => plainArray(deliveryIds(match))),
    matches.map((match) => plainArray(match.webhookIds.map((id) => typeIdToUuid('whk', id)))),
  ]
}

/** $11 to $21. */
function advanceValues(parts: readonly PassedPart[]): unknown[] {
  const tenants = parts.flatMap(({ partition, matches }) =>
    [...new Set(matches.map(({ tenant }) => tenant))].map((tenant) => ({ partition, tenant })),
  )
  const deferred = parts.flatMap(({ partition, deferred: ofPart }) =>
    Array.from(ofPart, ([tenant, offset]) => ({ partition, tenant, offset })),
  )
  return [
    plainArray(parts.map(({ partition }) => partition)),
    plainArray(parts.map(({ advance }) => advance.expected)),
    plainArray(parts.map(({ advance }) => advance.next)),
    plainArray(parts.map(({ advance }) => advance.lastOffset)),
    plainArray(parts.map(({ advance }) => (advance.lastId === null ? null : typeIdToUuid('evt', advance.lastId)))),
    plainArray(parts.map(({ webhooksVersion }) => webhooksVersion ?? null)),
    plainArray(tenants.map(({ partition }) => partition)),
    tenants.map(({ tenant }) => tenant),
    plainArray(deferred.map(({ partition }) => partition)),
    deferred.map(({ tenant }) => tenant),
    plainArray(deferred.map(({ offset }) => offset)),
  ]
}

function deliveryIds({ appendedAtMs, eventId, webhookIds }: MatchedEvent): string[] {
  return webhookIds.map((webhookId) => typeIdToUuid('dlv', deriveDeliveryId({ appendedAtMs, webhookId, eventId })))
}
