import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  toWebhookRow,
  WEBHOOK_COLUMNS,
  webhookSelect,
  type WebhookColumns,
  type WebhookRow,
  type WebhookSettings,
} from './webhook-row.ts'

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
  filter: 'filter',
}

/**
 * Changes the named settings of a webhook and returns it as it was written; undefined if the tenant has none with this id.
 * Enabling clears `disabled_reason`, disabling sets it to `manual` unless it was disabled already. A URL of another origin
 * clears the headers unless new ones come along: their values were meant for the host before. Moves `webhooks_version`. By
 * primary key.
 */
export async function updateWebhook(
  tx: Queryable,
  o: { readonly tenant: string; readonly id: string; readonly changes: Partial<WebhookSettings> },
): Promise<WebhookRow | undefined> {
  const cleared = (await movesOrigin(tx, o)) ? NO_HEADERS : {}
  return await writeChanges(tx, { ...o, changes: { ...cleared, ...o.changes } })
}

const NO_HEADERS = { headerNames: [], headers: null } as const

async function movesOrigin(
  tx: Queryable,
  o: { readonly tenant: string; readonly id: string; readonly changes: Partial<WebhookSettings> },
): Promise<boolean> {
  if (o.changes.url === undefined) return false
  const { rows } = await tx.query<{ url: string }>(
    `SELECT url FROM webhooks WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL FOR UPDATE`,
    [typeIdToUuid('whk', o.id), o.tenant],
  )
  return rows[0] !== undefined && new URL(rows[0].url).origin !== new URL(o.changes.url).origin
}

async function writeChanges(
  tx: Queryable,
  o: { readonly tenant: string; readonly id: string; readonly changes: Partial<WebhookSettings> },
): Promise<WebhookRow | undefined> {
  const values: unknown[] = [typeIdToUuid('whk', o.id), o.tenant]
  const sets = ['updated_at = now()']
  for (const [member, column] of Object.entries(COLUMNS) as [keyof typeof COLUMNS, string][]) {
    if (o.changes[member] !== undefined) sets.push(`${column} = $${values.push(o.changes[member])}`)
  }
  if (o.changes.enabled === true) sets.push('enabled = true', 'disabled_reason = NULL')
  if (o.changes.enabled === false) sets.push(`enabled = false`, `disabled_reason = coalesce(disabled_reason, 'manual')`)
  const { rows } = await tx.query<WebhookColumns>(
    `WITH written AS (
       UPDATE webhooks w SET ${sets.join(', ')} WHERE w.id = $1 AND w.tenant_id = $2 AND w.deleted_at IS NULL
       RETURNING ${WEBHOOK_COLUMNS})
     ${webhookSelect('written')}`,
    values,
  )
  return rows[0] === undefined ? undefined : toWebhookRow(rows[0])
}
