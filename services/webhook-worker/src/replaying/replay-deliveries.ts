import { typeIdToUuid } from '@ariftly/events'
import { isNotDeleted } from '@ariftly/store/tenants'
import { deriveDeliveryId } from '../matching/delivery-id.ts'
import { TRANSITIONS } from '@ariftly/store/deliveries'
import type { Queryable } from '@ariftly/store'
import type { MatchableEvent } from '../matching/read-matchable-events.ts'
import type { ReplayRow } from '@ariftly/store/replays'

/** Which deliveries a slice of a replay makes pending. */
export interface ReplayedEvents {
  readonly replay: Pick<ReplayRow, 'id' | 'tenant' | 'webhookId' | 'deliveryStatus' | 'dryRun'>
  readonly epoch: number
  readonly partition: number
  readonly events: readonly MatchableEvent[]
}

/**
 * Makes the deliveries of these events pending, due now with all attempts of the schedule before them: missing ones are
 * written, finished ones are set back under a new attempt number; unfinished ones stay unchanged. With `deliveryStatus`
 * only deliveries in that state. A dry run counts the same and changes nothing. Returns how many. By primary key:
 * `= ANY` beside the join is a planner hint for that.
 */
export async function replayDeliveries(tx: Queryable, o: ReplayedEvents): Promise<number> {
  const { replay, events } = o
  if (events.length === 0) return 0
  const ids = events.map(({ id, appendedAtMs }) =>
    typeIdToUuid('dlv', deriveDeliveryId({ appendedAtMs, webhookId: replay.webhookId, eventId: id })),
  )
  if (replay.dryRun) return await count(tx, COUNT, [ids, replay.deliveryStatus])
  return await count(tx, WRITE, [
    ids,
    replay.deliveryStatus,
    typeIdToUuid('rpl', replay.id),
    replay.tenant,
    typeIdToUuid('whk', replay.webhookId),
    o.epoch,
    o.partition,
    events.map(({ id }) => typeIdToUuid('evt', id)),
    events.map(({ type }) => type),
    events.map(({ taskId, sessionId }) => taskId ?? sessionId),
    events.map(({ offset }) => offset),
  ])
}

async function count(tx: Queryable, text: string, values: unknown[]): Promise<number> {
  const { rows } = await tx.query<{ n: number }>(text, values)
  return rows[0]?.n ?? 0
}

const CHOSEN = `${TRANSITIONS.sendAgain.guard} AND ($2::text IS NULL OR d.state = $2)`

const COUNT = `
SELECT count(*)::int AS n
  FROM unnest($1::uuid[]) AS wanted (id)
  LEFT JOIN deliveries d ON d.id = wanted.id AND d.id = ANY ($1::uuid[])
 WHERE CASE WHEN d.id IS NULL THEN $2::text IS NULL ELSE ${CHOSEN} END`

const WRITE = `
WITH reset AS (
  UPDATE deliveries d
     SET ${TRANSITIONS.sendAgain.set}, replay_id = $3
   WHERE d.id = ANY ($1::uuid[]) AND ${CHOSEN}
  RETURNING d.id),
made AS (
  INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", due_at,
                          replay_id, redelivered)
  SELECT wanted.id, $4, $5, wanted.event_id, wanted.type, wanted.ordering_key, $6, $7, wanted."offset", now(), $3, true
    FROM unnest($1::uuid[], $8::uuid[], $9::text[], $10::text[], $11::bigint[])
           AS wanted (id, event_id, type, ordering_key, "offset")
   WHERE $2::text IS NULL AND ${isNotDeleted('$4::text', 'ARRAY[$4]')}
  ON CONFLICT DO NOTHING
  RETURNING id)
SELECT (SELECT count(*)::int FROM reset) + (SELECT count(*)::int FROM made) AS n`
