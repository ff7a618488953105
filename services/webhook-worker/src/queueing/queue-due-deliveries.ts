import { uuidToTypeId } from '@ariftly/events'
import { prepared, type Queryable } from '@ariftly/store'
import {
  capacityValues,
  endpointCtes,
  QUEUED,
  WITHIN_TENANT,
  type EndpointCapacity,
  type QueueLimits,
} from './capacity.ts'

/** A delivery that is queued now: attempt n of it may be started until its lease ends. */
export interface QueuedDelivery {
  readonly deliveryId: string
  readonly webhookId: string
  readonly attempt: number
}

/** The result of {@link queueDueDeliveries}. */
export interface QueuedDeliveries {
  readonly queued: readonly QueuedDelivery[]
  /** Webhooks that had capacity, and all of whose due deliveries are queued now: nothing is left to queue when an attempt of theirs ends. */
  readonly drained: readonly string[]
}

/** Pending deliveries among which a probe takes the oldest; a bound on what is read. */
const PROBE_CHOICE_MAX = 500

/**
 * Moves due deliveries of webhooks without an order from `pending` to `queued` with a lease: of each endpoint the earliest
 * due that it has capacity for, and of a tenant no more than `tenantInFlightMax` over all its endpoints (its endpoints take
 * turns; the limit is approximate when two schedulers serve a tenant at the same time). One more delivery of each endpoint is
 * read than it has capacity for, to know whether any are left. The endpoints' rows must be locked by an **earlier statement** of
 * this transaction, so that this one's snapshot counts what another scheduler has just queued. Indexes: deliveries_leased,
 * deliveries_due.
 */
export async function queueDueDeliveries(
  tx: Queryable,
  o: QueueLimits & { readonly endpoints: readonly EndpointCapacity[] },
): Promise<QueuedDeliveries> {
  if (o.endpoints.length === 0) return { queued: [], drained: [] }
  const { rows } = await tx.query<{ id: string | null; webhook_id: string; attempt: number }>(
    prepared(SQL, capacityValues(o.endpoints, o)),
  )
  const queued: QueuedDelivery[] = []
  const drained: string[] = []
  for (const { id, webhook_id, attempt } of rows) {
    const webhookId = uuidToTypeId('whk', webhook_id)
    if (id === null) drained.push(webhookId)
    else queued.push({ deliveryId: uuidToTypeId('dlv', id), webhookId, attempt })
  }
  return { queued, drained }
}

const SQL = `
WITH ${endpointCtes()},
wanted AS (
  SELECT e.*, greatest(0, least(e.new_max, e.in_flight_max - coalesce(b.n, 0))) AS n
    FROM endpoint e LEFT JOIN busy b USING (webhook_id)),
picked AS (
  SELECT d.id, w.webhook_id, w.tenant_share, d.turn <= w.n AS has_room,
         row_number() OVER (PARTITION BY w.tenant_id, d.turn <= w.n ORDER BY d.turn, w.place) + coalesce(t.n, 0) AS tenant_rank,
         row_number() OVER (PARTITION BY w.tenant_id, d.turn <= w.n, w.unhealthy ORDER BY d.turn, w.place) AS share_rank
    FROM wanted w
    LEFT JOIN tenant_busy t USING (tenant_id)
   CROSS JOIN LATERAL (
          SELECT id, row_number() OVER () AS turn FROM (
            (SELECT id, due_at FROM deliveries
              WHERE NOT w.probe AND webhook_id = w.webhook_id AND state = 'pending' AND due_at <= now()
              ORDER BY due_at LIMIT w.n + 1)
            UNION ALL
            (SELECT id, due_at FROM (
               SELECT id, due_at FROM deliveries
                WHERE w.probe AND webhook_id = w.webhook_id AND state = 'pending'
                ORDER BY due_at LIMIT ${PROBE_CHOICE_MAX}) choice
              ORDER BY id LIMIT w.n + 1)) one_way) d
   WHERE w.n > 0),
taken AS (SELECT id FROM picked WHERE has_room AND ${WITHIN_TENANT}),
${QUEUED}
SELECT id, webhook_id, attempt FROM queued
UNION ALL
SELECT NULL, w.webhook_id, 0
  FROM wanted w
  LEFT JOIN picked p USING (webhook_id)
  LEFT JOIN taken t ON t.id = p.id
 GROUP BY w.webhook_id, w.n
HAVING w.n > 0 AND count(p.id) = count(t.id)`
