import { OLDEST_UNFINISHED, unfinishedOf } from '../deliveries/delivery-row.ts'
import { defineRow, plain, tenant, time, timeOrNull, typeId, type RowOf } from '../define-row.ts'
import { filterColumns } from '../filter-columns.ts'

/** Why a webhook is disabled: by its owner, by a 410, or after days of nothing but failures. */
export type DisabledReason = 'manual' | 'gone' | 'failures'

/** Whether a webhook's deliveries wait for one another: not at all, or within each task. */
type DeliveryOrdering = 'none' | 'task'

/** The members that a caller decides about. */
const SETTINGS = {
  url: plain<string>(),
  /** Exact types, groups (`task.*`) or `*`, as given. */
  events: plain<readonly string[]>(),
  ...filterColumns,
  description: plain<string | null>(),
  enabled: plain<boolean>(),
  /** In the order given; their values are in `headers`. */
  headerNames: plain<readonly string[]>(),
  /** JSON object of names and values, sealed with aad `webhook:<tenant>:<whk id>`; null if there are none. */
  headers: plain<Buffer | null>(),
  /** Deliveries a second, 1 to 1,000; null is no limit. */
  rateLimit: plain<number | null>(),
  ordering: plain<DeliveryOrdering>(),
  /** Payload filter as JSON text; null is none. */
  filter: plain<string | null>(),
}

const STORED = {
  /** TypeID `whk_…`. */
  id: typeId('whk'),
  tenant,
  ...SETTINGS,
  disabledReason: plain<DisabledReason | null>(),
  createdAtMs: time(),
  updatedAtMs: time(),
}

/** A webhook as a row of `webhooks w` has it. */
export const storedWebhook = defineRow('w', { ...STORED, endpointVersion: plain<number>() })

/** A row of webhooks `w`, their endpoints `e` and their `backlog`. */
export const webhookRow = defineRow('w', {
  ...STORED,
  /** Deliveries that are neither delivered, failed nor cancelled, counted up to `PENDING_COUNT_MAX`. */
  pendingCount: plain<number>({ sql: 'backlog.pending_count' }),
  /** When the pending delivery of the oldest event was created. */
  oldestPendingAtMs: timeOrNull({ sql: 'backlog.oldest_pending_at' }),
  failingSinceMs: timeOrNull({ sql: 'CASE WHEN e.endpoint_version = w.endpoint_version THEN e.failing_since END' }),
  lastSuccessAtMs: timeOrNull({ sql: 'e.last_success_at' }),
})

/** What a caller decides about a webhook. */
export type WebhookSettings = Pick<WebhookRow, keyof typeof SETTINGS>

/** A webhook as Postgres holds it, with what its deliveries say. */
export type WebhookRow = RowOf<typeof webhookRow>

/** How far `pendingCount` counts: reading a webhook must not cost more the longer its backlog is. */
export const PENDING_COUNT_MAX = 10_000

/**
 * The backlog of the webhook with the id `webhookId`, an SQL expression: its first `countMax` unfinished deliveries, oldest event first.
 * They are counted in index deliveries_unfinished alone: a row of the table is read only for the oldest, and where a page of the
 * table has changed since it was last vacuumed. The order is that of this index: with another one a backlog could be read whole.
 */
export function backlogOf(webhookId: string): string {
  return `
         SELECT count(*) AS pending_count,
                (SELECT d.created_at ${unfinishedOf(webhookId)} ${OLDEST_UNFINISHED}) AS oldest_pending_at
           FROM (SELECT ${unfinishedOf(webhookId)} LIMIT ${PENDING_COUNT_MAX}) AS first`
}

/**
 * Webhooks with the state of their endpoint and their backlog; a `WHERE` on `w` may follow. `source` is the table, or a CTE of
 * what a statement has just written ({@link storedWebhook}). Its triggers reset the endpoint after this has read it, so a state of
 * another version is not shown.
 */
export function webhookSelect(source: 'webhooks' | 'written'): string {
  return `
  SELECT ${webhookRow.columns}
    FROM ${source} w
    LEFT JOIN webhook_endpoints e ON e.webhook_id = w.id
   CROSS JOIN LATERAL (${backlogOf('w.id')}) AS backlog`
}
