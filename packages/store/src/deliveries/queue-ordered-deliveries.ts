import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { isStill } from './delivery-state.ts'
import type { EndpointCapacity, QueuedDelivery } from './queue-due-deliveries.ts'

/** What one look at an ordered webhook has found. */
export interface OrderedQueued {
  readonly queued: readonly QueuedDelivery[]
  /** Tasks that were looked at. */
  readonly looked: number
  /** Where the next look begins; empty at the first task again. */
  readonly nextKey: string
}

interface Columns {
  readonly looked: number
  readonly last_key: string | null
  readonly at_end: boolean
  readonly ids: string[]
  readonly attempts: number[]
}

/**
 * Moves due deliveries of one webhook with `ordering: task` from `pending` to `queued`: of each task only the lowest unfinished
 * position. It jumps from task to task in the index deliveries_ordering, beginning after `fromKey`, until it has found what
 * the endpoint has capacity for or has looked at `keysMax` tasks. So its cost is bounded, whatever the backlog. The endpoint's
 * row must be locked by an earlier statement of this transaction.
 */
export async function queueOrderedDeliveries(
  tx: Queryable,
  o: {
    readonly endpoint: EndpointCapacity
    readonly fromKey: string
    readonly keysMax: number
    readonly tenantInFlightMax: number
    readonly leaseMs: number
    /** As of `queueDueDeliveries`. */
    readonly workerId?: string
  },
): Promise<OrderedQueued> {
  const { endpoint } = o
  const { rows } = await tx.query<Columns>(
    prepared(SQL, [
      typeIdToUuid('whk', endpoint.webhookId),
      endpoint.tenant,
      endpoint.inFlightMax,
      Math.min(endpoint.newMax, endpoint.tenantShare),
      endpoint.probe,
      o.fromKey,
      o.keysMax,
      o.tenantInFlightMax,
      o.leaseMs,
      o.workerId ?? null,
    ]),
  )
  const [row] = rows
  if (row === undefined) throw new Error('an aggregate without a row')
  const queued = row.ids.map((id, index) => ({
    deliveryId: uuidToTypeId('dlv', id),
    webhookId: endpoint.webhookId,
    attempt: row.attempts[index] ?? 0,
  }))
  return { queued, looked: row.looked, nextKey: row.at_end ? '' : (row.last_key ?? o.fromKey) }
}

/** The lowest unfinished delivery of the first task behind `after`, and whether it may be queued. */
function firstBehind(after: string): string {
  return `SELECT id, ordering_key, state = 'pending' AND ($5 OR due_at <= now()) AS due
            FROM deliveries
           WHERE webhook_id = $1 AND state IN ('pending', 'queued', 'attempting') AND ordering_key > ${after}
           ORDER BY ordering_key, epoch, partition, "offset"
           LIMIT 1`
}

const SQL = `
WITH RECURSIVE busy AS (
  SELECT count(*) FILTER (WHERE webhook_id = $1)::int AS webhook, count(*)::int AS tenant
    FROM deliveries
   WHERE state IN ('queued', 'attempting') AND tenant_id = $2),
wanted AS (
  SELECT greatest(0, least($4::int, $3::int - busy.webhook, $8::int - busy.tenant)) AS n FROM busy),
head AS (
  SELECT first.*, 1 AS looked, first.due::int AS found
    FROM wanted CROSS JOIN LATERAL (${firstBehind('$6')}) first
   WHERE wanted.n > 0
  UNION ALL
  SELECT next.*, head.looked + 1, head.found + next.due::int
    FROM head CROSS JOIN wanted CROSS JOIN LATERAL (${firstBehind('head.ordering_key')}) next
   WHERE head.looked < $7 AND head.found < wanted.n),
queued AS (
  UPDATE deliveries
     SET state = 'queued', due_at = NULL, lease_until = now() + $9 * interval '1 ms', worker_id = $10::uuid, probe = $5
   WHERE id = ANY (ARRAY(SELECT id FROM head WHERE due)) AND ${isStill(['pending'])}
  RETURNING id, attempt),
taken AS (
  SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids, coalesce(array_agg(attempt ORDER BY id), '{}') AS attempts FROM queued)
SELECT count(head.id)::int AS looked, max(head.ordering_key) AS last_key,
       wanted.n > 0 AND count(head.id) < $7 AND coalesce(max(head.found), 0) < wanted.n AS at_end,
       taken.ids, taken.attempts
  FROM wanted CROSS JOIN taken LEFT JOIN head ON true
 GROUP BY wanted.n, taken.ids, taken.attempts`
