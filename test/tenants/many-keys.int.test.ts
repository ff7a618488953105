import { byForm, createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

const KEYS = byForm({ short: 50_000, long: 600_000 })
/** Of one statement. */
const SLICE = 50_000
/** From the request until every service refuses; 1 s on a machine that does nothing else. */
const REFUSED_MS_MAX = 4000

let world: World
let services: { readonly api: ServiceProcess; readonly ingest: ServiceProcess; readonly gateway: ServiceProcess }
let operator: string

beforeAll(async () => {
  world = await createWorld({ partitions: 2 })
  operator = await world.apiKey('default', ['platform'])
  const [api, ingest, gateway] = await Promise.all([
    world.startService('api'),
    world.startService('ingest'),
    world.startService('stream-gateway'),
  ])
  services = { api, ingest, gateway }
})
afterAll(() => world?.close())

/** Stores keys without the API and its triggers. */
async function storeKeys(tenant: string): Promise<void> {
  await world.admin.query('ALTER TABLE api_keys DISABLE TRIGGER USER')
  for (let stored = 0; stored < KEYS; stored += SLICE) {
    await world.admin.query(
      `INSERT INTO api_keys (id, tenant_id, name, scopes, hash)
       SELECT gen_random_uuid(), $1, 'agent', '{events:write}', sha256(convert_to($1 || n, 'UTF8'))
         FROM generate_series($2::int + 1, $2::int + $3::int) n`,
      [tenant, stored, SLICE],
    )
  }
  await world.admin.query('ALTER TABLE api_keys ENABLE TRIGGER USER')
}

async function feedEntries(): Promise<number> {
  const { rows } = await world.admin.query<{ entries: number }>('SELECT count(*) AS entries FROM api_key_changes')
  return rows[0]?.entries ?? -1
}

function call(service: ServiceProcess, path: string, key: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(`${service.url}${path}`, { ...init, headers })
}

/** The statuses of a key at ingest, api and gateway. The stream that the gateway opens is closed. */
async function statusesOf(key: string): Promise<readonly number[]> {
  const { api, ingest, gateway } = services
  const closing = new AbortController()
  const answers = await Promise.all([
    call(ingest, '/v1/events', key, { method: 'POST', body: '{"type":"task.created","task_id":"t","data":{}}' }),
    call(api, '/v1/events', key),
    call(gateway, '/v1/events/stream', key, { signal: closing.signal }),
  ])
  closing.abort()
  return answers.map(({ status }) => status)
}

async function openStream(key: string): Promise<{ readonly ended: Promise<unknown> }> {
  const response = await call(services.gateway, '/v1/events/stream', key)
  expect(response.status).toBe(200)
  return { ended: response.text().catch(() => 'cut') }
}

const REFUSED = [403, 403, 403]

describe(`a tenant with ${KEYS} keys`, () => {
  let key: string
  let uncached: readonly string[]

  beforeAll(async () => {
    key = await world.apiKey('crowd')
    uncached = [await world.apiKey('crowd'), await world.apiKey('crowd')]
    await storeKeys('crowd')
  })

  /** Makes a call that stops the tenant; gives how long it took until every service refused and the stream had ended. */
  async function stop(method: 'PUT' | 'DELETE', body?: string): Promise<number> {
    expect(await statusesOf(key)).toEqual([202, 200, 200])
    const stream = await openStream(key)
    const startedMs = performance.now()
    const init = body === undefined ? { method } : { method, body }
    const answer = await call(services.api, '/v1/tenants/crowd', operator, init)
    expect(answer.ok).toBe(true)
    await eventually('all services refuse the key', async () => (await statusesOf(key)).join() === REFUSED.join())
    await stream.ended
    return performance.now() - startedMs
  }

  test('is suspended at every service by one entry of the feed, its cached keys, others and streams, and can be resumed', async () => {
    const neighbour = await world.apiKey('neighbour')
    const before = await feedEntries()
    expect(await stop('PUT', '{"state":"suspended"}')).toBeLessThan(REFUSED_MS_MAX)
    expect(await feedEntries()).toBe(before + 1)
    expect(await statusesOf(uncached[0] ?? '')).toEqual(REFUSED)
    expect(await statusesOf(neighbour)).toEqual([202, 200, 200])
    await call(services.api, '/v1/tenants/crowd', operator, { method: 'PUT', body: '{"state":"active"}' })
    await eventually('all services serve the key', async () => (await statusesOf(key)).join() === '202,200,200')
  })

  test('is deleted: its keys are refused and its streams end', async () => {
    expect(await stop('DELETE')).toBeLessThan(REFUSED_MS_MAX)
    expect(await statusesOf(uncached[1] ?? '')).toEqual(REFUSED)
  })
})
