import { eventually, startReceiver, startServiceProcess, type ServiceProcess } from '@ariftly/testkit'
import { createPool, type Pool } from '@ariftly/store'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startStandalone, type Standalone } from '../support/standalone.ts'

let system: Standalone
/** A second gateway of the same installation. */
let gateway: ServiceProcess
let operator: string
let admin: Pool

beforeAll(async () => {
  system = await startStandalone({ WEBHOOK_RETRY_SCHEDULE_S: '1,1,1,1,1,1,1,1,1' })
  admin = createPool({ role: null, url: system.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 1 })
  gateway = await startServiceProcess('stream-gateway', system.env)
  operator = await system.apiKeyOf('default', ['platform'])
})
afterAll(async () => {
  gateway?.kill()
  await gateway?.exited
  await admin?.end()
  await system?.close()
})

async function put(tenant: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${operator}`, 'content-type': 'application/json' }
  const answer = await system.request(`/v1/tenants/${tenant}`, { method: 'PUT', headers, body: JSON.stringify(body) })
  expect(Math.floor(answer.status / 100)).toBe(2)
}

function headersOf(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
}

/** Opens a stream and gives its status, a promise of its end, and how to close it. */
async function openStream(base: string, key: string) {
  const abort = new AbortController()
  const response = await fetch(`${base}/v1/events/stream`, { headers: headersOf(key), signal: abort.signal })
  const ended = response.text().then(
    () => 'ended',
    () => 'cut',
  )
  return { status: response.status, ended, close: () => abort.abort() }
}

async function post(key: string, task: string): Promise<number> {
  const body = JSON.stringify({ type: 'task.created', task_id: task, data: {} })
  return (await system.request('/v1/events', { method: 'POST', headers: headersOf(key), body })).status
}

describe('a suspended tenant', () => {
  test('is refused at every service within a second, its streams end, its deliveries wait, and all of it can be resumed', async () => {
    const receiver = await startReceiver()
    const key = await system.apiKeyOf('stopped', ['events:write', 'events:read', 'webhooks'])
    const body = JSON.stringify({ url: receiver.url, events: ['*'] })
    await system.request('/v1/webhooks', { method: 'POST', headers: headersOf(key), body })
    expect(await post(key, 'before')).toBe(202)
    await eventually('one delivery', () => receiver.requests.length === 1)
    const streams = [await openStream(system.url, key), await openStream(gateway.url, key)]

    const askedMs = performance.now()
    await put('stopped', { state: 'suspended' })
    await Promise.all(streams.map(({ ended }) => ended))
    const refused = async () => (await post(key, 'refused')) === 403
    await eventually('the tenant is refused', refused)
    expect(performance.now() - askedMs).toBeLessThan(5000)
    for (const path of ['/v1/events', '/v1/webhooks', '/v1/events/stream', '/v1/api-keys/current']) {
      const answer = await system.request(path, { headers: headersOf(key) })
      expect(await answer.json()).toMatchObject({ status: 403, code: 'tenant_suspended' })
    }
    expect((await openStream(gateway.url, key)).status).toBe(403)

    await put('stopped', { state: 'active' })
    await eventually('the tenant is served', async () => (await post(key, 'after')) === 202)
    await eventually('the later event is delivered', () =>
      receiver.requests.some(({ body: sent }) => sent.toString().includes('"after"')),
    )
    expect(receiver.requests.some(({ body: sent }) => sent.toString().includes('"refused"'))).toBe(false)
    await receiver.close()
  })

  test("has deliveries that wait, while another tenant's do not, until it is served again", async () => {
    const [waiting, served] = [await failingWebhook('waiting'), await failingWebhook('served')]
    await put('waiting', { state: 'suspended' })
    await eventually('the tenant is refused', async () => (await post(waiting.key, 'refused')) === 403)
    const [before, others] = [waiting.receiver.requests.length, served.receiver.requests.length]
    await served.receiver.received(others + 3)
    // An attempt that was running when the tenant was suspended may arrive after that.
    expect(waiting.receiver.requests.length).toBeLessThanOrEqual(before + 1)
    await put('waiting', { state: 'active' })
    await waiting.receiver.received(before + 2)
    await Promise.all([waiting, served].map(({ receiver }) => receiver.close()))
  })
})

/** A tenant whose one webhook fails, with its first attempt made. */
async function failingWebhook(tenant: string) {
  const receiver = await startReceiver()
  receiver.respondWith(() => ({ status: 503 }))
  const key = await system.apiKeyOf(tenant, ['events:write', 'webhooks'])
  const body = JSON.stringify({ url: receiver.url, events: ['*'] })
  await system.request('/v1/webhooks', { method: 'POST', headers: headersOf(key), body })
  expect(await post(key, 'fails')).toBe(202)
  await receiver.received(1)
  return { key, receiver }
}

/** How many streams the gateways have reported to each other. */
async function reportedStreams(): Promise<number> {
  const { rows } = await admin.query<{ streams: number }>(
    `SELECT coalesce(sum(streams), 0)::int AS streams FROM open_stream_counts WHERE tenant_id = 'counted'`,
  )
  return rows[0]?.streams ?? 0
}

/** The first line of an answer as JSON. */
async function json(
  path: string,
  key: string,
  body: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await system.request(path, { method: 'POST', headers: headersOf(key), body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

describe('a rotated secret', () => {
  test("ends with its streams and stream tokens, at every gateway, while the new one's continue", async () => {
    const root = await system.apiKeyOf('default', ['events:read', 'events:write', 'platform'])
    const made = await json('/v1/api-keys', root, {
      name: 'x',
      tenant: 'rotated',
      scopes: ['events:read', 'events:write'],
    })
    const old = String(made.body['key'])
    const tokenOf = async (key: string) => String((await json('/v1/stream-tokens', key, {})).body['token'])
    const byToken = async (token: string) => await fetch(`${gateway.url}/v1/events/stream?token=${token}`)
    const oldToken = await tokenOf(old)
    const oldByToken = await byToken(oldToken)
    const ended = [
      (await openStream(system.url, old)).ended,
      (await openStream(gateway.url, old)).ended,
      oldByToken.text().then(
        () => 'ended',
        () => 'cut',
      ),
    ]

    const rotated = await json(`/v1/api-keys/${String(made.body['id'])}/rotate`, root, { overlap_hours: 0 })
    expect(rotated.status).toBe(201)
    const secret = String(rotated.body['key'])
    const streams = await Promise.all([system.url, gateway.url].map((base) => openStream(base, secret)))
    const newToken = await tokenOf(secret)
    await Promise.all(ended)
    await eventually('the old key is refused', async () => (await post(old, 'refused')) === 401)
    await eventually('the old token is refused', async () => (await byToken(oldToken)).status === 401)
    const still = await byToken(newToken)
    expect([...streams.map(({ status }) => status), still.status]).toEqual([200, 200, 200])
    // The streams of the new secret were not ended with the old one's.
    expect(await Promise.race([streams[0]?.ended, streams[1]?.ended, Promise.resolve('open')])).toBe('open')
    for (const { close } of streams) close()
    await still.body?.cancel()
  })
})

test('the streams of a tenant are counted over all gateways', async () => {
  const key = await system.apiKeyOf('counted', ['events:read'])
  const one = await openStream(system.url, key)
  // Of a gateway that has had no opening since there is a limit, too.
  await put('counted', { limits: { streams: 2 } })
  await eventually('one stream is reported', async () => (await reportedStreams()) === 1)
  const other = await openStream(gateway.url, key)
  await eventually('2 streams are reported', async () => (await reportedStreams()) === 2)
  expect([one.status, other.status]).toEqual([200, 200])
  for (const base of [system.url, gateway.url]) {
    await eventually('a third stream is refused', async () => {
      const next = await openStream(base, key)
      next.close()
      return next.status === 429
    })
  }
  one.close()
  await eventually('a third stream is served', async () => {
    const next = await openStream(gateway.url, key)
    next.close()
    return next.status === 200
  })
  other.close()
})
