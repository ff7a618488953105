import { newTypeId } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import { insertWebhook, type NewWebhook } from '@ariftly/store/webhooks'

/** Stores a {@link sampleWebhook} and gives its id. */
export async function insertSampleWebhook(db: Queryable, changes: Partial<NewWebhook> = {}): Promise<string> {
  const webhook = sampleWebhook(changes)
  await insertWebhook(db, webhook, Number.MAX_SAFE_INTEGER)
  return webhook.id
}

/** A webhook for `insertWebhook`: enabled, it takes every event of the tenant `mine`. */
export function sampleWebhook(changes: Partial<NewWebhook> = {}): NewWebhook {
  return {
    id: newTypeId('whk'),
    tenant: 'mine',
    url: 'https://example.com/',
    events: ['*'],
    taskId: null,
    sessionId: null,
    agent: null,
    filter: null,
    description: null,
    enabled: true,
    secret: Buffer.from('sealed'),
    headerNames: [],
    headers: null,
    rateLimit: null,
    ordering: 'none',
    ...changes,
  }
}
