import type { Queryable } from '../queryable.ts'
import { walkBacklogs } from '../webhooks/walk-backlogs.ts'
import { UNDER_WAY } from './delivery-state.ts'

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

/** Unfinished deliveries of a webhook that are counted at most. */
const PER_WEBHOOK_MAX = 100_000

/**
 * Counts them by webhook as {@link walkBacklogs} does, and by index deliveries_leased what workers have. Its cost is by unfinished
 * deliveries, at most 100,000 a webhook, so it is for once in a while.
 */
export async function countDeliveries(db: Queryable): Promise<DeliveryCounts> {
  const { rows } = await db.query<DeliveryCounts>(COUNTS)
  const [row] = rows
  if (row === undefined) throw new Error('an aggregate without a row')
  return row
}

const COUNTS = `
  WITH RECURSIVE ${walkBacklogs(PER_WEBHOOK_MAX)},
  leased AS (
    SELECT webhook_id, count(*) AS leased, count(*) FILTER (WHERE ${UNDER_WAY}) AS attempting
      FROM deliveries WHERE state = 'queued' GROUP BY webhook_id),
  counted AS (
    SELECT w.enabled AND w.deleted_at IS NULL AND e.next_probe_at IS NULL AS open, due_count, first_due_at,
           greatest(0, pending_count - coalesce(leased, 0)) AS pending,
           coalesce(leased, 0) AS leased, coalesce(attempting, 0) AS attempting
      FROM walked
      JOIN webhooks w ON w.id = walked.webhook_id
      JOIN webhook_endpoints e ON e.webhook_id = w.id
      LEFT JOIN leased ON leased.webhook_id = w.id)
  SELECT coalesce(sum(due_count) FILTER (WHERE open), 0)::float8 AS due,
         coalesce(sum(greatest(0, pending - due_count)) FILTER (WHERE open), 0)::float8 AS waiting,
         coalesce(sum(pending) FILTER (WHERE NOT open), 0)::float8 AS held,
         coalesce(sum(leased - attempting), 0)::float8 AS queued,
         coalesce(sum(attempting), 0)::float8 AS attempting,
         coalesce(extract(epoch FROM now() - min(first_due_at) FILTER (WHERE open)), 0)::float8 AS "oldestDueS"
    FROM counted`
