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
import type { QueuedDelivery } from './queue-due-deliveries.ts'

/** An ordered webhook to scan. */
export interface OrderedRange {
  readonly endpoint: EndpointCapacity
  /** The task behind which the scan begins; empty: at the first task. */
  readonly fromKey: string
}

/** The result of one scan of an ordered webhook. */
export interface OrderedQueued {
  readonly queued: readonly QueuedDelivery[]
  /** Tasks that were scanned. */
  readonly scanned: number
  /** Where the next scan begins; empty at the first task again. */
  readonly nextKey: string
  /** Whether the scan ended at `keysMax`, with capacity left and tasks behind. */
  readonly cut: boolean
}

interface Columns {
  readonly webhook_id: string
  readonly scanned: number
  readonly last_key: string | null
  readonly is_full: boolean
  readonly is_refused: boolean
  readonly ids: string[] | null
  readonly attempts: number[] | null
}

/**
 * Moves due deliveries of webhooks with `ordering: task` from `pending` to `queued`: of each task only the lowest unfinished
 * position. It jumps from task to task in the index deliveries_ordering, beginning after `fromKey`, until it has found what
 * the endpoint has capacity for or has scanned `keysMax` tasks of it. So its cost is bounded for backlogs of any size. Webhooks of a tenant
 * take turns where its limits allow less than they could have; what is left then is scanned again. The endpoints' rows must be locked by an
 * earlier statement of this transaction. The result has an entry for each webhook.
 */
export async function queueOrderedDeliveries(
  tx: Queryable,
  o: QueueLimits & {
    readonly ranges: readonly OrderedRange[]
    /** Tasks of each webhook that are scanned. */
    readonly keysMax: number
  },
): Promise<ReadonlyMap<string, OrderedQueued>> {
  if (o.ranges.length === 0) return new Map()
  const endpoints = o.ranges.map(({ endpoint }) => endpoint)
  const fromKeysInOrder = o.ranges.map(({ fromKey }) => fromKey)
  const { rows } = await tx.query<Columns>(prepared(SQL, [...capacityValues(endpoints, o), fromKeysInOrder, o.keysMax]))
  const fromKeys = new Map(o.ranges.map(({ endpoint, fromKey }) => [endpoint.webhookId, fromKey]))
  return new Map(
    rows.map((row) => {
      const webhookId = uuidToTypeId('whk', row.webhook_id)
      return [webhookId, toOrderedQueued(row, webhookId, fromKeys.get(webhookId) ?? '', o.keysMax)]
    }),
  )
}

function toOrderedQueued(row: Columns, webhookId: string, fromKey: string, keysMax: number): OrderedQueued {
  const queued = (row.ids ?? []).map((id, index) => ({
    deliveryId: uuidToTypeId('dlv', id),
    webhookId,
    attempt: row.attempts?.[index] ?? 0,
  }))
  const found = { queued, scanned: row.scanned }
  if (row.is_refused) return { ...found, nextKey: fromKey, cut: false }
  if (row.is_full) return { ...found, nextKey: row.last_key ?? fromKey, cut: false }
  const cut = row.scanned >= keysMax
  return { ...found, nextKey: cut ? (row.last_key ?? fromKey) : '', cut }
}

/**
 * The lowest unfinished delivery of the first task of a webhook behind `after`, and whether it may be queued. Both states and the order are
 * those of deliveries_ordering.
 */
function firstBehind(webhook: string, after: string): string {
  return `SELECT id, ordering_key, state = 'pending' AND (${webhook}.probe OR due_at <= now()) AS due
            FROM deliveries
           WHERE webhook_id = ${webhook}.webhook_id AND state IN ('pending', 'queued') AND ordering_key > ${after}
           ORDER BY ordering_key, epoch, partition, "offset"
           LIMIT 1`
}

const SQL = `
WITH RECURSIVE ${endpointCtes({ array: ', $11::text[]', column: ', from_key' })},
wanted AS (
  SELECT e.*, coalesce(t.n, 0) AS tenant_busy,
         greatest(0, least(e.new_max, e.in_flight_max - coalesce(b.n, 0), e.tenant_share, $8 - coalesce(t.n, 0))) AS n
    FROM endpoint e LEFT JOIN busy b USING (webhook_id) LEFT JOIN tenant_busy t ON t.tenant_id = e.tenant_id),
head AS (
  SELECT w.webhook_id, w.probe, w.n, first.id, first.ordering_key, first.due, 1 AS scanned, first.due::int AS found
    FROM wanted w CROSS JOIN LATERAL (${firstBehind('w', 'w.from_key')}) first
   WHERE w.n > 0
  UNION ALL
  SELECT h.webhook_id, h.probe, h.n, next.id, next.ordering_key, next.due, h.scanned + 1, h.found + next.due::int
    FROM head h CROSS JOIN LATERAL (${firstBehind('h', 'h.ordering_key')}) next
   WHERE h.scanned < $12 AND h.found < h.n),
picked AS (
  SELECT h.id, h.webhook_id, w.tenant_share,
         row_number() OVER (PARTITION BY w.tenant_id ORDER BY h.found, w.place) + w.tenant_busy AS tenant_rank,
         row_number() OVER (PARTITION BY w.tenant_id, w.unhealthy ORDER BY h.found, w.place) AS share_rank
    FROM head h JOIN wanted w USING (webhook_id)
   WHERE h.due),
taken AS (SELECT id, webhook_id FROM picked WHERE ${WITHIN_TENANT}),
${QUEUED},
scans AS (
  SELECT webhook_id, count(*)::int AS scanned, max(ordering_key) AS last_key, max(found) AS found,
         count(*) FILTER (WHERE due) > (SELECT count(*) FROM taken WHERE taken.webhook_id = head.webhook_id) AS is_refused
    FROM head GROUP BY webhook_id),
queued_ids AS (
  SELECT webhook_id, array_agg(id ORDER BY id) AS ids, array_agg(attempt ORDER BY id) AS attempts FROM queued GROUP BY webhook_id)
SELECT w.webhook_id, coalesce(l.scanned, 0) AS scanned, l.last_key, w.n <= coalesce(l.found, 0) AS is_full,
       coalesce(l.is_refused, false) AS is_refused, q.ids, q.attempts
  FROM wanted w LEFT JOIN scans l USING (webhook_id) LEFT JOIN queued_ids q USING (webhook_id)`
