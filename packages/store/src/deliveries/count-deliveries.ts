import type { Queryable } from '../queryable.ts'
import { UNDER_WAY } from './delivery-state.ts'
import { PENDING_WEBHOOKS } from './scheduling/pending-webhooks.ts'

/** Unfinished deliveries by what they wait for. */
export interface DeliveryCounts {
  /** May be sent now: more workers would help. */
  readonly due: number
  /** Pending, and due later. */
  readonly waiting: number
  /** Pending, of webhooks that are disabled or get one probe at a time: more workers would not help. */
  readonly held: number
  readonly queued: number
  readonly attempting: number
  /** For how long the one that is due longest has been due; 0 when none is. */
  readonly oldestDueS: number
}

/** Pending deliveries of a webhook that are counted at most. */
const PER_WEBHOOK_MAX = 100_000

/**
 * Counts them by index deliveries_due, in which it jumps from webhook to webhook, and deliveries_leased. Its cost is by
 * pending deliveries, at most 100,000 a webhook, so it is for once in a while.
 */
export async function countDeliveries(db: Queryable): Promise<DeliveryCounts> {
  const { rows } = await db.query<DeliveryCounts>(
    `WITH RECURSIVE ${PENDING_WEBHOOKS},
     counted AS (
       SELECT w.enabled AND w.deleted_at IS NULL AND e.next_probe_at IS NULL AS open, d.*
         FROM pending
         JOIN webhooks w ON w.id = pending.webhook_id
         JOIN webhook_endpoints e ON e.webhook_id = pending.webhook_id
        CROSS JOIN LATERAL (
               SELECT count(*) FILTER (WHERE due_at <= now()) AS due, count(*) FILTER (WHERE due_at > now()) AS waiting,
                      min(due_at) AS first_due_at
                 FROM (SELECT due_at FROM deliveries
                        WHERE state = 'pending' AND webhook_id = pending.webhook_id
                        ORDER BY due_at
                        LIMIT $1) first) d),
     leased AS (
       SELECT count(*) FILTER (WHERE NOT ${UNDER_WAY}) AS queued, count(*) FILTER (WHERE ${UNDER_WAY}) AS attempting
         FROM deliveries WHERE state = 'queued')
     SELECT coalesce(sum(due) FILTER (WHERE open), 0)::float8 AS due,
            coalesce(sum(waiting) FILTER (WHERE open), 0)::float8 AS waiting,
            coalesce(sum(due + waiting) FILTER (WHERE NOT open), 0)::float8 AS held,
            (SELECT queued FROM leased)::float8 AS queued,
            (SELECT attempting FROM leased)::float8 AS attempting,
            greatest(0, coalesce(extract(epoch FROM now() - min(first_due_at) FILTER (WHERE open)), 0))::float8
              AS "oldestDueS"
       FROM counted`,
    [PER_WEBHOOK_MAX],
  )
  const [row] = rows
  if (row === undefined) throw new Error('an aggregate without a row')
  return row
}
