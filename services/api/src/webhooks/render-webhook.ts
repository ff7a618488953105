import type { WebhookRow } from '@ariftly/store/webhooks'
import { timeOf } from '../time-of.ts'

/** The webhook object of design 8; headers by name only, and the secret never. */
export function renderWebhook(row: WebhookRow): Record<string, unknown> {
  return {
    object: 'webhook',
    id: row.id,
    url: row.url,
    events: row.events,
    task_id: row.taskId,
    session_id: row.sessionId,
    agent: row.agent,
    description: row.description,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    headers: row.headerNames,
    rate_limit: row.rateLimit,
    ordering: row.ordering,
    filter: row.filter === null ? null : (JSON.parse(row.filter) as unknown),
    pending_count: row.pendingCount,
    oldest_pending_at: timeOf(row.oldestPendingAtMs),
    failing_since: timeOf(row.failingSinceMs),
    last_success_at: timeOf(row.lastSuccessAtMs),
    created_at: timeOf(row.createdAtMs),
    updated_at: timeOf(row.updatedAtMs),
  }
}

/** The same with its secret, as creation and rotation show it, once. */
export function renderWithSecret(row: WebhookRow, secret: string): Record<string, unknown> {
  return { ...renderWebhook(row), secret }
}
