import { uuidToTypeId } from '@ariftly/events'

/** Why a webhook is disabled: by its owner, by a 410, or after days of nothing but failures. */
export type DisabledReason = 'manual' | 'gone' | 'failures'

/** Whether a webhook's deliveries wait for one another: not at all, or within each task. */
export type DeliveryOrdering = 'none' | 'task'

/** What a caller decides about a webhook. */
export interface WebhookSettings {
  readonly url: string
  /** Exact types, groups (`task.*`) or `*`, as given. */
  readonly events: readonly string[]
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
  readonly description: string | null
  readonly enabled: boolean
  /** In the order given; their values are in `headers`. */
  readonly headerNames: readonly string[]
  /** JSON object of names and values, sealed with aad `webhook:<tenant>:<whk id>`; null if there are none. */
  readonly headers: Buffer | null
  /** Deliveries a second, 1 to 1,000; null is no limit. */
  readonly rateLimit: number | null
  readonly ordering: DeliveryOrdering
  /** Payload filter as JSON text; null is none. */
  readonly filter: string | null
}

/** A webhook as Postgres holds it, with what its deliveries say. */
export interface WebhookRow extends WebhookSettings {
  /** TypeID `whk_…`. */
  readonly id: string
  readonly tenant: string
  readonly disabledReason: DisabledReason | null
  /** Deliveries that are neither delivered, failed nor cancelled, counted up to `PENDING_COUNT_MAX`. */
  readonly pendingCount: number
  /** When the pending delivery of the oldest event was created. */
  readonly oldestPendingAtMs: number | null
  readonly failingSinceMs: number | null
  readonly lastSuccessAtMs: number | null
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** A row of `webhookSelect` as pg hands it over. */
export interface WebhookColumns {
  readonly id: string
  readonly tenant_id: string
  readonly url: string
  readonly events: string[]
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly description: string | null
  readonly enabled: boolean
  readonly disabled_reason: DisabledReason | null
  readonly header_names: string[]
  readonly headers: Buffer | null
  readonly rate_limit: number | null
  readonly ordering: DeliveryOrdering
  readonly filter: string | null
  readonly pending_count: number
  readonly oldest_pending_at: Date | null
  readonly failing_since: Date | null
  readonly last_success_at: Date | null
  readonly created_at: Date
  readonly updated_at: Date
}

/** How far `pendingCount` counts: reading a webhook must not cost more the longer its backlog is. */
export const PENDING_COUNT_MAX = 10_000

/** The columns that `webhookSelect` needs of its source. */
export const WEBHOOK_COLUMNS = `w.id, w.tenant_id, w.url, w.events, w.task_id, w.session_id, w.agent, w.description, w.enabled,
  w.disabled_reason, w.header_names, w.headers, w.rate_limit, w.ordering, w.filter, w.created_at, w.updated_at, w.endpoint_version`

/** What a row of `WebhookColumns` takes of webhooks `w`, their endpoints `e` and their `backlog`. */
export const SHOWN_COLUMNS = `${WEBHOOK_COLUMNS},
         CASE WHEN e.endpoint_version = w.endpoint_version THEN e.failing_since END AS failing_since,
         e.last_success_at, backlog.pending_count, backlog.oldest_pending_at`

/**
 * The backlog of the webhook with the id `webhookId`, an SQL expression: its first 10,000 deliveries, oldest event first. They
 * are counted in index deliveries_unfinished alone: a row of the table is read only for the oldest, and where a page of the
 * table has changed since it was last vacuumed.
 */
export function backlogOf(webhookId: string): string {
  const unfinished = `FROM deliveries d WHERE d.webhook_id = ${webhookId} AND d.state IN ('pending', 'queued', 'attempting')`
  return `
         SELECT count(*) AS pending_count,
                (SELECT d.created_at ${unfinished} ORDER BY d.id LIMIT 1) AS oldest_pending_at
           FROM (SELECT ${unfinished} LIMIT ${PENDING_COUNT_MAX}) AS first`
}

/**
 * Webhooks with the state of their endpoint and their backlog; a `WHERE` on `w` may follow. `source` is the table, or a CTE of
 * what a statement has just written. Its triggers reset the endpoint after this has read it, so a state of another version
 * is not shown.
 */
export function webhookSelect(source: 'webhooks' | 'written'): string {
  return `
  SELECT ${SHOWN_COLUMNS}
    FROM ${source} w
    LEFT JOIN webhook_endpoints e ON e.webhook_id = w.id
   CROSS JOIN LATERAL (${backlogOf('w.id')}) AS backlog`
}

/** Turns columns into the row that code works with. */
export function toWebhookRow(columns: WebhookColumns): WebhookRow {
  return {
    id: uuidToTypeId('whk', columns.id),
    tenant: columns.tenant_id,
    url: columns.url,
    events: columns.events,
    taskId: columns.task_id,
    sessionId: columns.session_id,
    agent: columns.agent,
    description: columns.description,
    enabled: columns.enabled,
    disabledReason: columns.disabled_reason,
    headerNames: columns.header_names,
    headers: columns.headers,
    rateLimit: columns.rate_limit,
    ordering: columns.ordering,
    filter: columns.filter,
    pendingCount: columns.pending_count,
    oldestPendingAtMs: msOf(columns.oldest_pending_at),
    failingSinceMs: msOf(columns.failing_since),
    lastSuccessAtMs: msOf(columns.last_success_at),
    createdAtMs: columns.created_at.getTime(),
    updatedAtMs: columns.updated_at.getTime(),
  }
}

function msOf(date: Date | null): number | null {
  return date === null ? null : date.getTime()
}
