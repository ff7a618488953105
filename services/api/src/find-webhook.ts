import { parseTypeId } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import { getWebhook, webhookExists, type WebhookRow } from '@ariftly/store/webhooks'
import { notFound } from './not-found.ts'

/** The webhook that a path names; a `Problem` 404 for what is no id, not there, deleted or another tenant's. */
export async function findWebhook(db: Queryable, tenant: string, id: string): Promise<WebhookRow> {
  if (!isWebhookId(id)) throw notFound('webhook')
  const row = await getWebhook(db, { tenant, id })
  if (row === undefined) throw notFound('webhook')
  return row
}

/** Throws the `Problem` of {@link findWebhook}: for what needs no more of a webhook, as its backlog is counted there. */
export async function refuseUnknownWebhook(db: Queryable, tenant: string, id: string): Promise<void> {
  if (!isWebhookId(id) || !(await webhookExists(db, { webhookId: id, tenant }))) throw notFound('webhook')
}

/** Whether a text can be the id of a webhook. */
export function isWebhookId(id: string): boolean {
  return parseTypeId('whk', id) !== undefined
}
