import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { WebhookSettings } from './webhook-row.ts'

const COLUMNS: Readonly<Record<Exclude<keyof WebhookSettings, 'enabled'>, string>> = {
  url: 'url',
  events: 'events',
  taskId: 'task_id',
  sessionId: 'session_id',
  agent: 'agent',
  description: 'description',
  headerNames: 'header_names',
  headers: 'headers',
  rateLimit: 'rate_limit',
  ordering: 'ordering',
}

/**
 * Changes the named settings of a webhook; false if the tenant has none with this id. Enabling clears `disabled_reason`,
 * disabling sets it to `manual` unless it was disabled already. Moves `webhooks_version`. By primary key.
 */
export async function updateWebhook(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string; readonly changes: Partial<WebhookSettings> },
): Promise<boolean> {
  const values: unknown[] = [typeIdToUuid('whk', o.id), o.tenant]
  const sets = ['updated_at = now()']
  for (const [member, column] of Object.entries(COLUMNS) as [keyof typeof COLUMNS, string][]) {
    if (o.changes[member] !== undefined) sets.push(`${column} = $${values.push(o.changes[member])}`)
  }
  if (o.changes.enabled === true) sets.push('enabled = true', 'disabled_reason = NULL')
  if (o.changes.enabled === false) sets.push(`enabled = false`, `disabled_reason = coalesce(disabled_reason, 'manual')`)
  const { rowCount } = await db.query(
    `UPDATE webhooks SET ${sets.join(', ')} WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL`,
    values,
  )
  return rowCount === 1
}
