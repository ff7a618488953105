import type { Queryable } from '@ariftly/store'
import { getWebhook, webhookExists, type WebhookRow } from '@ariftly/store/webhooks'
import { notFound, pathId } from './not-found.ts'

/** The webhook of a path. @throws Problem 404 if the id is malformed, does not exist, is deleted or another tenant's. */
export async function findWebhook(db: Queryable, tenant: string, id: string | undefined): Promise<WebhookRow> {
  const row = await getWebhook(db, { tenant, id: pathId('whk', id) })
  if (row === undefined) throw notFound('webhook')
  return row
}

/** The id of that webhook, with the `Problem` of {@link findWebhook}: for what needs no more of it, as its backlog is counted there. */
export async function findWebhookId(db: Queryable, tenant: string, id: string | undefined): Promise<string> {
  const webhookId = pathId('whk', id)
  if (!(await webhookExists(db, { webhookId, tenant }))) throw notFound('webhook')
  return webhookId
}
