import { eventually } from '@ariftly/testkit'
import type { Standalone } from '../../support/standalone.ts'

/** Ids of a tenant's resources, by the prefix of their kind, and its name. */
export type ResourceIds = Readonly<Record<'evt' | 'whk' | 'dlv' | 'rdl' | 'rpl' | 'key' | 'tenant', string>>

/** Makes one resource of each kind that has an id for a tenant, with a text in each that can hold one. */
export async function makeResources(
  system: Standalone,
  o: { readonly tenant: string; readonly key: string; readonly text: string },
): Promise<ResourceIds> {
  const { tenant, key, text } = o

  async function call(path: string, body?: object): Promise<{ id: string; data: { id: string }[] }> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    return (await (await system.request(path, init)).json()) as { id: string; data: { id: string }[] }
  }

  // No server listens there: the delivery fails, and no worker retries it.
  const webhook = { url: 'http://127.0.0.1:9/', events: ['task.created'], description: text }
  const whk = (await call('/v1/webhooks', webhook)).id
  const posted = await call('/v1/events', { type: 'task.created', task_id: text, data: { title: text } })
  const dlv = await eventually('a delivery', async () => (await call(`/v1/webhooks/${whk}/deliveries`)).data[0]?.id)
  const after = new Date(Date.now() - 3_600_000).toISOString()
  return {
    tenant,
    whk,
    evt: posted.data[0]?.id ?? '',
    dlv: dlv ?? '',
    rdl: (await call('/v1/deliveries/redeliver', { filter: { webhook_id: whk }, dry_run: true })).id,
    rpl: (await call(`/v1/webhooks/${whk}/replay`, { after, dry_run: true })).id,
    key: (await call('/v1/api-keys', { name: text, scopes: ['events:read'] })).id,
  }
}
