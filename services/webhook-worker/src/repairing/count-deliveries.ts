import { prepared, type Queryable } from '@ariftly/store'
import { isServed } from '@ariftly/store/tenants'
import { NOT_STARTED } from '@ariftly/store/deliveries'
import { NEXT_PROBE_AT, NEXT_TOKEN_MS } from '../queueing/endpoint-times.ts'
import { BEFORE_FIRST, nextPendingAfter, pendingWebhooksAfter } from '../queueing/pending-webhooks.ts'

/** Unfinished deliveries by what they wait for. */
export interface DeliveryCounts {
  /** May be sent now: more workers would help. */
  readonly due: number
  /** Pending, and due later. */
  readonly waiting: number
  /**
   * Pending, and more workers would not help: the webhook is disabled, gets one probe at a time or is at a limit of its own, its
   * tenant is not served or has as many attempts under way as it may, or an earlier delivery of the task is unfinished.
   */
  readonly held: number
  readonly queued: number
  readonly attempting: number
  /** For how long the delivery, or probe, that may be sent and is due longest has been due; 0 when none is. */
  readonly oldestDueS: number
}

/** Unfinished deliveries of a webhook that are counted at most. */
const PER_WEBHOOK_MAX = 100_000
/** Tasks of an ordered webhook of which the first delivery is looked up: a look-up costs about 10 µs. */
const TASKS_PER_WEBHOOK_MAX = 10_000

/** Runs of the index deliveries_due that one statement reads: 100 to 1,600 webhooks, some 0.1 s of Postgres. */
const RUNS_PER_STATEMENT = 100

/**
 * Counts them part by part, as the scheduler reads due webhooks, so that no statement takes long however many webhooks there are: a part is
 * counted in a snapshot of its own. Webhooks are looked up (`OFFSET 0`, a planner hint), so that no part reads all of them. By index deliveries_due, deliveries_ordering, in which it jumps from task to task of ordered
 * webhooks, and deliveries_leased. Its cost is by pending deliveries, at most 100,000 a webhook, so it is for once in a while. A webhook or
 * tenant is at its limit of attempts only while one of them is under way: what is queued in a Redis that is gone holds up nothing. Undefined
 * once the signal has aborted.
 */
export async function countDeliveries(
  db: Queryable,
  o: { readonly perEndpointMax: number; readonly perTenantMax: number },
  { signal, runsMax = RUNS_PER_STATEMENT }: { readonly signal?: AbortSignal; readonly runsMax?: number } = {},
): Promise<DeliveryCounts | undefined> {
  const sum = { due: 0, waiting: 0, held: 0, queued: 0, attempting: 0, oldestDueS: 0 }
  let after: string | null = BEFORE_FIRST
  while (after !== null) {
    if (signal?.aborted === true) return undefined
    const values: unknown[] = [PER_WEBHOOK_MAX, TASKS_PER_WEBHOOK_MAX, o.perEndpointMax, o.perTenantMax, after, runsMax]
    const { rows } = await db.query<DeliveryCounts & { readonly next: string | null }>(prepared(SQL, values))
    const [part] = rows
    if (part === undefined) throw new Error('an aggregate without a row')
    for (const state of ['due', 'waiting', 'held'] as const) sum[state] += part[state]
    // Of all webhooks, in each part.
    sum.queued = part.queued
    sum.attempting = part.attempting
    sum.oldestDueS = Math.max(sum.oldestDueS, part.oldestDueS)
    after = part.next
  }
  return sum
}

/** The first unfinished delivery of the first task of a webhook behind `after`. */
function firstBehind(webhook: string, after: string): string {
  return `SELECT ordering_key, CASE WHEN state = 'pending' AND due_at <= now() THEN due_at END AS due_at
            FROM deliveries
           WHERE webhook_id = ${webhook}.webhook_id AND state IN ('pending', 'queued') AND ordering_key > ${after}
           ORDER BY ordering_key, epoch, partition, "offset"
           LIMIT 1`
}

const SQL = `
WITH RECURSIVE ${pendingWebhooksAfter('$5', '$6')},
leased AS MATERIALIZED (
  SELECT tenant_id, webhook_id, count(*) AS n, count(*) FILTER (WHERE NOT ${NOT_STARTED}) AS attempting
    FROM deliveries d WHERE state = 'queued' GROUP BY tenant_id, webhook_id),
tenant_leased AS (SELECT tenant_id, sum(n) AS n, sum(attempting) AS attempting FROM leased GROUP BY tenant_id),
webhook AS (
  SELECT p.webhook_id, w.ordering, e.next_probe_at IS NOT NULL AS is_failing, ${NEXT_PROBE_AT} AS probe_at,
         w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')} AND ${NEXT_TOKEN_MS} = 0
         AND NOT (l.attempting > 0 AND l.n >= CASE WHEN e.next_probe_at IS NULL THEN $3 ELSE 1 END) IS TRUE
         AND NOT (t.attempting > 0 AND t.n >= $4) IS TRUE AS may_send
    FROM pending p
   CROSS JOIN LATERAL (SELECT * FROM webhooks WHERE id = p.webhook_id OFFSET 0) w
   CROSS JOIN LATERAL (SELECT * FROM webhook_endpoints WHERE webhook_id = p.webhook_id OFFSET 0) e
    LEFT JOIN leased l ON l.webhook_id = p.webhook_id
    LEFT JOIN tenant_leased t ON t.tenant_id = w.tenant_id),
task AS (
  SELECT w.webhook_id, first.*, 1 AS place
    FROM webhook w CROSS JOIN LATERAL (${firstBehind('w', `''`)}) first
   WHERE w.may_send AND NOT w.is_failing AND w.ordering = 'task'
  UNION ALL
  SELECT t.webhook_id, next.*, t.place + 1
    FROM task t CROSS JOIN LATERAL (${firstBehind('t', 't.ordering_key')}) next
   WHERE t.place < $2),
first_of_task AS (SELECT webhook_id, count(due_at) AS due, min(due_at) AS first_due_at FROM task GROUP BY webhook_id),
counted AS (
  SELECT w.may_send AND NOT w.is_failing AS open,
         CASE WHEN w.ordering = 'task' THEN coalesce(f.due, 0) ELSE d.due END AS due, d.pending, d.waiting,
         CASE WHEN NOT w.may_send THEN NULL WHEN w.is_failing THEN w.probe_at
              WHEN w.ordering = 'task' THEN f.first_due_at ELSE d.first_due_at END AS first_due_at
    FROM webhook w
    LEFT JOIN first_of_task f USING (webhook_id)
   CROSS JOIN LATERAL (
          SELECT count(*) AS pending, count(*) FILTER (WHERE due_at <= now()) AS due,
                 count(*) FILTER (WHERE due_at > now()) AS waiting, min(due_at) AS first_due_at
            FROM (SELECT due_at FROM deliveries
                   WHERE state = 'pending' AND webhook_id = w.webhook_id
                   ORDER BY due_at
                   LIMIT $1) first) d)
SELECT ${nextPendingAfter('$6')} AS next,
       coalesce(sum(due) FILTER (WHERE open), 0)::float8 AS due,
       coalesce(sum(waiting) FILTER (WHERE open), 0)::float8 AS waiting,
       coalesce(sum(CASE WHEN open THEN greatest(0, pending - waiting - due) ELSE pending END), 0)::float8 AS held,
       (SELECT coalesce(sum(n - attempting), 0) FROM leased)::float8 AS queued,
       (SELECT coalesce(sum(attempting), 0) FROM leased)::float8 AS attempting,
       greatest(0, coalesce(extract(epoch FROM now() - min(first_due_at)), 0))::float8 AS "oldestDueS"
  FROM counted`
