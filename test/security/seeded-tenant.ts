import { randomBytes } from 'node:crypto'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import type { Standalone } from '../support/standalone.ts'
import type { Pool } from './pool.ts'
import { openTenantStream, type TenantStream } from './tenant-stream.ts'

/** A tenant with something of everything, every piece of content marked as its own. */
export interface SeededTenant {
  readonly apiKey: string
  readonly receiver: Receiver
  /** A stream of all its events that stays open. */
  readonly stream: TenantStream
  /** What the other tenant uses against it. */
  readonly pool: Pool
  /** What it uses itself while it attacks: the same, but for objects that it may lose by that. */
  readonly expendable: Pool
  /** Texts that the other tenant must never see: its mark, its secrets and the ids that are not in `pool`. */
  readonly hidden: readonly string[]
  /** Its mark, for what it posts later. */
  readonly mark: string
  /** Bodies that it posted while it attacked. */
  readonly made: Set<string>
  close(): Promise<void>
}

const EVENTS = 20
/** How many objects of a kind the other tenant knows by id. */
const KNOWN = 6
const SCOPES = ['events:write', 'events:read', 'webhooks', 'admin']

interface Listed {
  readonly data: readonly { readonly id: string; readonly status: string }[]
  readonly next_cursor: string | null
}

/** Makes everything through the API, and waits until all of it has ended. */
export async function seedTenant(system: Standalone, tenant: string): Promise<SeededTenant> {
  const mark = `mark${randomBytes(9).toString('hex')}`
  const apiKey = await system.apiKeyOf(tenant, SCOPES)
  const call = createCall(system, apiKey)
  const receiver = await startReceiver()
  const webhook = await call('POST', '/v1/webhooks', {
    url: `${receiver.url}?${mark}`,
    events: ['*'],
    description: mark,
    headers: { 'X-Own': mark },
    secret: `${mark}-secret`,
  })
  const silent = await call('POST', '/v1/webhooks', { url: receiver.url, events: ['*'], enabled: false })
  const spareKey = await call('POST', '/v1/api-keys', { name: mark, scopes: ['events:read'] })
  const spareHook = await call('POST', '/v1/webhooks', { url: receiver.url, events: ['task.failed'] })
  const keyToLose = await call('POST', '/v1/api-keys', { name: mark, scopes: ['events:read'] })
  const stream = await openTenantStream(system.url, apiKey)
  const eventIds = await postEvents(call, tenant, mark)
  const deliveries = await deliveriesOf(call, String(webhook['id']))
  const replay = await finishedReplay(call, String(webhook['id']))
  const redelivery = await finishedRedelivery(call, String(webhook['id']))
  const streamToken = await call('POST', '/v1/stream-tokens', { task_id: `${tenant}-task-1` })
  await eventually('all events are streamed', () => stream.ids().length >= EVENTS)
  const cursors = await Promise.all(
    [
      '/v1/events?',
      `/v1/webhooks/${String(webhook['id'])}/deliveries?`,
      `/v1/deliveries?webhook_id=${String(webhook['id'])}&`,
      '/v1/webhooks?',
      '/v1/api-keys?',
    ].map(async (path) => String(((await call('GET', `${path}limit=1`)) as unknown as Listed).next_cursor)),
  )
  const dlv = deliveries.map(({ id }) => id)
  const pool: Pool = {
    tenant,
    ids: {
      evt: eventIds.slice(0, KNOWN),
      whk: [String(webhook['id']), String(silent['id'])],
      dlv: dlv.slice(0, KNOWN),
      rpl: [replay],
      rdl: [redelivery],
      key: [String(spareKey['id'])],
    },
    taskIds: [`${tenant}-task-0`, `${tenant}-task-1`, `${tenant}/task`],
    agents: [`${tenant}-agent`],
    sessionIds: [`${tenant}-session`],
    sealed: [...cursors, ...stream.ids().slice(0, 3), String(streamToken['token'])],
  }
  const hidden = [mark, String(spareKey['key']), apiKey, ...eventIds.slice(KNOWN), ...dlv.slice(KNOWN)]
  return {
    apiKey,
    receiver,
    stream,
    pool,
    expendable: { ...pool, ids: { ...pool.ids, whk: [String(spareHook['id'])], key: [String(keyToLose['id'])] } },
    hidden,
    mark,
    made: new Set(),
    close: async () => {
      stream.close()
      await receiver.close()
    },
  }
}

type Call = (method: string, path: string, body?: object) => Promise<Readonly<Record<string, unknown>>>

function createCall(system: Standalone, apiKey: string): Call {
  return async function call(method, path, body) {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const answer = await system.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
}

async function postEvents(call: Call, tenant: string, mark: string): Promise<readonly string[]> {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    type: 'task.progress',
    task_id: `${tenant}-task-${index % 2}`,
    agent: `${tenant}-agent`,
    session_id: `${tenant}-session`,
    data: { message: mark, index },
  }))
  const results = (await call('POST', '/v1/events', events)) as unknown as { readonly data: readonly { id: string }[] }
  return results.data.map(({ id }) => id)
}

/** All deliveries of a webhook, once every one has been made. */
async function deliveriesOf(call: Call, webhookId: string): Promise<Listed['data']> {
  const list = async () => ((await call('GET', `/v1/webhooks/${webhookId}/deliveries`)) as unknown as Listed).data
  await eventually('all events are delivered', async () => {
    const data = await list()
    return data.length === EVENTS && data.every(({ status }) => status === 'delivered')
  })
  return await list()
}

/** A redelivery that sends nothing again and has ended. */
async function finishedRedelivery(call: Call, webhookId: string): Promise<string> {
  const { id } = await call('POST', '/v1/deliveries/redeliver', { filter: { webhook_id: webhookId }, dry_run: true })
  await eventually(
    'the redelivery is completed',
    async () => (await call('GET', `/v1/redeliveries/${String(id)}`))['status'] === 'completed',
  )
  return String(id)
}

async function finishedReplay(call: Call, webhookId: string): Promise<string> {
  const body = { after: new Date(Date.now() - 3_600_000).toISOString(), status: 'failed' }
  const { id } = await call('POST', `/v1/webhooks/${webhookId}/replay`, body)
  await eventually('the replay is completed', async () => {
    const { status } = await call('GET', `/v1/webhooks/${webhookId}/replays/${String(id)}`)
    return status === 'completed'
  })
  return String(id)
}
