import { OLDEST_UNFINISHED, STATUS_CONDITIONS, unfinishedOf } from '@ariftly/store/deliveries'
import { defineRow, plain, type Queryable, type RowOf, tenant, time, timeOrNull, typeId } from '@ariftly/store'
import { PENDING_COUNT_MAX, type DisabledReason } from '@ariftly/store/webhooks'

const backlogRow = defineRow('b', {
  webhookId: typeId('whk'),
  tenant,
  /** Deliveries that are neither delivered, failed nor cancelled, counted up to 10,000. */
  pendingCount: plain<number>(),
  /** Those of them that may be sent now, counted up to 10,000. */
  dueCount: plain<number>(),
  /** When the unfinished delivery of the oldest event was created. */
  oldestPendingAtMs: timeOrNull(),
  enabled: plain<boolean>(),
  disabledReason: plain<DisabledReason | null>(),
  failingSinceMs: timeOrNull(),
})

/** What waits for one webhook, and why. */
export type Backlog = RowOf<typeof backlogRow>

const totalsRow = defineRow('totals', {
  asOfMs: time(),
  pendingCount: plain<number>({ name: 'all_pending' }),
  dueCount: plain<number>({ name: 'all_due' }),
  /** Whether these are all: false once a limit ended the count. */
  isComplete: plain<boolean>(),
})

/** Unfinished deliveries of the whole installation, at the moment `asOfMs` of Postgres. */
export interface Backlogs extends RowOf<typeof totalsRow> {
  /** Largest first. */
  readonly largest: readonly Backlog[]
}

/** How far the count goes. */
interface BacklogLimits {
  /** Backlogs that are listed. */
  readonly limit: number
  /** Webhooks that are counted; default 2,000. */
  readonly webhooksMax?: number
  /** Unfinished deliveries after which no further webhook is counted; default 250,000. */
  readonly countedMax?: number
}

/**
 * Counts the unfinished deliveries of one webhook after the other, in the order of their ids, and lists the largest. Its cost is bounded: at
 * most 10,000 rows of a webhook are counted, and no webhook is begun beyond `webhooksMax` or `countedMax`. By indexes `deliveries_unfinished` and
 * `deliveries_due`.
 */
export async function findLargestBacklogs(db: Queryable, o: BacklogLimits): Promise<Backlogs> {
  const { limit, webhooksMax = 2_000, countedMax = 250_000 } = o
  const { rows } = await db.query<{ webhook_id: string | null }>(BACKLOGS, [limit, webhooksMax, countedMax])
  const totals = totalsRow.readFirst({ rows })
  if (totals === undefined) throw new Error('an aggregate without a row')
  return { ...totals, largest: rows.filter(({ webhook_id }) => webhook_id !== null).map(backlogRow.read) }
}

// Each order is that of the index that is meant: with another one a backlog could be read whole.

const BACKLOGS = `
  WITH RECURSIVE walked AS (
    SELECT '00000000-0000-0000-0000-000000000000'::uuid AS webhook_id, 0 AS pending_count, 0 AS due_count, 0 AS n, 0 AS counted
     UNION ALL
    SELECT next.webhook_id, counts.pending_count, counts.due_count, walked.n + 1, walked.counted + counts.pending_count
      FROM walked
     CROSS JOIN LATERAL (
           SELECT d.webhook_id FROM deliveries d
            WHERE ${STATUS_CONDITIONS.pending} AND d.webhook_id > walked.webhook_id ORDER BY d.webhook_id, d.id LIMIT 1) AS next
     CROSS JOIN LATERAL (
           SELECT (SELECT count(*)::int FROM (
                     SELECT ${unfinishedOf('next.webhook_id')} LIMIT ${PENDING_COUNT_MAX}) AS first) AS pending_count,
                  (SELECT count(*)::int FROM (
                     SELECT FROM deliveries d
                      WHERE d.state = 'pending' AND d.webhook_id = next.webhook_id AND d.due_at <= now()
                      ORDER BY d.due_at LIMIT ${PENDING_COUNT_MAX}) AS first) AS due_count) AS counts
     WHERE walked.n < $2::int AND walked.counted < $3::int),
  totals AS (
    SELECT now() AS as_of, sum(pending_count)::float8 AS all_pending, sum(due_count)::float8 AS all_due,
           max(n) < $2::int AND max(counted) < $3::int AND max(pending_count) < ${PENDING_COUNT_MAX} AS is_complete
      FROM walked),
  largest AS (
    SELECT walked.*, w.tenant_id, w.enabled AND w.deleted_at IS NULL AS enabled, w.disabled_reason,
           CASE WHEN e.endpoint_version = w.endpoint_version THEN e.failing_since END AS failing_since
      FROM walked
      JOIN webhooks w ON w.id = walked.webhook_id
      LEFT JOIN webhook_endpoints e ON e.webhook_id = w.id
     ORDER BY walked.pending_count DESC, walked.webhook_id
     LIMIT $1)
  SELECT totals.as_of, totals.all_pending, totals.all_due, totals.is_complete,
         b.webhook_id, b.tenant_id, b.pending_count, b.due_count, b.enabled, b.disabled_reason, b.failing_since,
         (SELECT d.created_at ${unfinishedOf('b.webhook_id')} ${OLDEST_UNFINISHED}) AS oldest_pending_at
    FROM totals
    LEFT JOIN largest b ON true
   ORDER BY b.pending_count DESC, b.webhook_id`
