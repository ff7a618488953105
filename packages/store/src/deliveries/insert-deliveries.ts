import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
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

/**
 * Writes one pending delivery, due now, for each match whose event the projection holds at this very position: a repost at
 * another offset and a dead letter have no such row and are skipped. Those that are there already stay as they are.
 * Answers how many were written. By primary key of `events` and `deliveries`.
 */
export async function insertDeliveries(
  tx: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly matches: readonly MatchedEvent[] },
): Promise<number> {
  const { matches } = o
  if (matches.length === 0) return 0
  // The lateral look-up stays a nested loop by primary key, whatever the planner thinks of the sizes.
  const { rowCount } = await tx.query(
    prepared(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset",
                             traceparent, due_at)
     SELECT m.id, m.tenant_id, m.webhook_id, m.event_id, e.type, coalesce(e.task_id, e.session_id), $1, $2, m."offset",
            m.traceparent, now()
       FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[])
              AS m (id, tenant_id, webhook_id, event_id, "offset", traceparent)
      CROSS JOIN LATERAL (
             SELECT type, task_id, session_id
               FROM events
              WHERE tenant_id = m.tenant_id AND id = m.event_id AND epoch = $1 AND partition = $2 AND "offset" = m."offset"
              LIMIT 1) e
     ON CONFLICT DO NOTHING`,
      [
        o.epoch,
        o.partition,
        plainArray(matches.map((match) => typeIdToUuid('dlv', deriveDeliveryId(match)))),
        matches.map((match) => match.tenant),
        plainArray(matches.map((match) => typeIdToUuid('whk', match.webhookId))),
        plainArray(matches.map((match) => typeIdToUuid('evt', match.eventId))),
        plainArray(matches.map((match) => match.offset)),
        matches.map((match) => match.traceparent),
      ],
    ),
  )
  return rowCount ?? 0
}
