import { EventEmitter, once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { startApi, type ApiClient } from '../support/api-client.ts'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const TENANT = 'mine'

let fixture: WorkerWorld
let api: ApiClient
let before: Receiver
let after: Receiver

beforeAll(async () => {
  // No attempt ends before its receiver answers.
  fixture = await createWorkerWorld({ WEBHOOK_TIMEOUT_MS: '60000' })
  await fixture.startWorker()
  api = await startApi(fixture.world, await fixture.world.apiKey(TENANT, ['webhooks']))
})
afterAll(async () => {
  await api?.close()
  await fixture?.close()
})
beforeEach(async () => {
  before = await startReceiver()
  after = await startReceiver()
})
afterEach(async () => {
  await Promise.all([before.close(), after.close()])
})

async function subscribe(more: object = {}): Promise<string> {
  return await api.createWebhook({ url: before.url, events: ['task.*'], ...more })
}

async function webhookOf(id: string): Promise<Readonly<Record<string, unknown>>> {
  return (await api.call('GET', `/v1/webhooks/${id}`)).json
}

async function goneAttemptsOf(id: string): Promise<number> {
  const { rows } = await fixture.world.admin.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM attempts WHERE webhook_id = $1 AND status = 410',
    [typeIdToUuid('whk', id)],
  )
  return rows[0]?.n ?? 0
}

describe('a webhook whose URL is changed', () => {
  test('is not disabled by a 410 that the URL before it gives late', async () => {
    const changed = new EventEmitter()
    before.respondWith(async () => {
      await once(changed, 'url')
      return { status: 410 }
    })
    const id = await subscribe()
    await fixture.post(TENANT, 3)
    await eventually('3 requests to the former address', () => before.requests.length === 3)
    await api.call('PATCH', `/v1/webhooks/${id}`, { url: after.url })
    changed.emit('url')
    await eventually('3 attempts got 410', async () => (await goneAttemptsOf(id)) === 3)
    await fixture.post(TENANT, 1)
    await after.received(1)
    expect(await webhookOf(id)).toMatchObject({ enabled: true, disabled_reason: null })
    after.respondWith(() => ({ status: 410 }))
    await fixture.post(TENANT, 1)
    await eventually('the webhook is disabled', async () => (await webhookOf(id))['disabled_reason'] === 'gone')
    await api.call('DELETE', `/v1/webhooks/${id}`)
  })

  test('sends its header values to the new origin only if they were given with it', async () => {
    const headers = { 'X-Receiver-Key': 'of the first receiver' }
    const id = await subscribe({ headers })
    const path = `/v1/webhooks/${id}`
    const samePort = new URL('/another-path', before.url).href
    expect((await api.call('PATCH', path, { url: samePort })).json).toMatchObject({ headers: ['X-Receiver-Key'] })
    expect((await api.call('PATCH', path, { url: after.url })).json).toMatchObject({ url: after.url, headers: [] })
    await api.call('POST', `${path}/test`)
    expect(after.requests.at(-1)?.headers).not.toHaveProperty('x-receiver-key')
    const back = await api.call('PATCH', path, { url: before.url, headers })
    expect(back.json).toMatchObject({ url: before.url, headers: ['X-Receiver-Key'] })
    await api.call('POST', `${path}/test`)
    expect(before.requests.at(-1)?.headers).toMatchObject({ 'x-receiver-key': 'of the first receiver' })
    await api.call('DELETE', path)
  })
})

describe('a write of a webhook', () => {
  test('that is answered 503 has changed nothing: the new secret is the next rotation’s', async () => {
    const id = await subscribe()
    const rotate = () => api.call('POST', `/v1/webhooks/${id}/rotate-secret`, {})
    const lock = await fixture.world.admin.connect()
    try {
      await lock.query('BEGIN')
      await lock.query('LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE')
      expect((await rotate()).status).toBe(503)
    } finally {
      await lock.query('ROLLBACK')
      lock.release()
    }
    expect(await rotate()).toMatchObject({ status: 200, json: { id, secret: expect.stringMatching(/^whsec_/) } })
    await api.call('DELETE', `/v1/webhooks/${id}`)
  })
})
