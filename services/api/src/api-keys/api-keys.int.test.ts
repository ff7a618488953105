import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, DEADLINES, eventually, startCuttingProxy, type CuttingProxy } from '@ariftly/testkit'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const STRANGER = 'nobody-knows-this-key-0123'

const database = await createTestDatabase()
let proxy: CuttingProxy
let one: TestApi
let other: TestApi
/** Reaches Postgres through the proxy. */
let behindProxy: TestApi

beforeAll(async () => {
  await seedBootstrapKey(database.openPool({ owner: true }), ROOT)
  const { hostname, port } = new URL(database.url)
  proxy = await startCuttingProxy({ host: hostname, port: Number(port) })
  const throughProxy = new URL(database.url)
  throughProxy.port = String(proxy.port)
  const encryptionKeys = generateEncryptionKey('k1')
  one = await startTestApi(database.url, encryptionKeys)
  other = await startTestApi(database.url, encryptionKeys)
  behindProxy = await startTestApi(throughProxy.href, encryptionKeys)
})
afterAll(async () => {
  proxy?.resume()
  await Promise.all([one, other, behindProxy].map((process) => process?.close()))
  await proxy?.close()
  await database.drop()
})

/** Makes a key and gives its id and itself. */
async function create(fields: Record<string, unknown>, by = ROOT): Promise<{ id: string; key: string }> {
  const { status, body } = await one.call('POST', '/v1/api-keys', by, { name: 'test', ...fields })
  expect(status).toBe(201)
  return { id: body.id ?? '', key: body.key ?? '' }
}

const notGiven = (pointer: string) => [403, 'not_yours_to_give', pointer]

const CURRENT = '/v1/api-keys/current'

describe('POST /v1/api-keys', () => {
  test('shows the key once, and it works immediately in every process', async () => {
    const quota = { events_per_s: 5, bytes_per_s: null }
    const body = { name: 'fleet', scopes: ['events:write'], tenant: 'acme', expires_at: '2999-01-01T00:00:00Z', quota }
    const created = await one.call('POST', '/v1/api-keys', ROOT, body)
    expect(created).toMatchObject({
      status: 201,
      body: { object: 'api_key', ...body, expires_at: '2999-01-01T00:00:00.000Z' },
    })
    expect(created.body.id).toMatch(/^key_[0-9a-z]{26}$/)
    const current = await other.call('GET', CURRENT, created.body.key ?? '')
    expect(current).toMatchObject({
      status: 200,
      body: { id: created.body.id, tenant: 'acme', scopes: ['events:write'], quota },
    })
    const listed = await one.call('GET', '/v1/api-keys?tenant=acme', ROOT)
    expect(listed.body.data).toHaveLength(1)
    expect(JSON.stringify(listed.body)).not.toContain(created.body.key)
  })

  test('cannot give a scope that it does not have, except that admin gives the scopes of its own tenant', async () => {
    const admin = await create({ scopes: ['admin'], tenant: 'acme-2' })
    const given = await create({ scopes: ['events:write', 'events:read', 'webhooks', 'admin'] }, admin.key)
    expect((await one.call('GET', CURRENT, given.key)).body['tenant']).toBe('acme-2')
    const platform = await one.call('POST', '/v1/api-keys', admin.key, { name: 'x', scopes: ['admin', 'platform'] })
    expect(platform).toMatchObject({
      status: 403,
      body: { code: 'not_yours_to_give', errors: [{ pointer: '/scopes/1' }] },
    })
    const reader = await create({ scopes: ['events:read'], tenant: 'acme-2' })
    expect((await one.call('POST', '/v1/api-keys', reader.key, { name: 'x', scopes: ['events:read'] })).status).toBe(
      403,
    )
  })

  test('gives no larger quota and no later end than its own, an absent one being none', async () => {
    const own = { events_per_s: 10, bytes_per_s: null }
    const ends = '2999-01-01T00:00:00.000Z'
    const admin = await create({ scopes: ['admin'], tenant: 'acme-5', quota: own, expires_at: ends })
    const asked = async (fields: Record<string, unknown>) => {
      const body = { name: 'x', scopes: ['events:read'], quota: own, expires_at: ends, ...fields }
      const answer = await one.call('POST', '/v1/api-keys', admin.key, body)
      const errors = (answer.body['errors'] ?? []) as readonly { pointer: string }[]
      return [answer.status, answer.body['code'], ...errors.map(({ pointer }) => pointer)]
    }
    expect(await asked({})).toEqual([201, undefined])
    expect(await asked({ quota: { events_per_s: 11 } })).toEqual(notGiven('/quota/events_per_s'))
    expect(await asked({ quota: { bytes_per_s: 5 } })).toEqual(notGiven('/quota/events_per_s'))
    expect(await asked({ quota: null })).toEqual(notGiven('/quota/events_per_s'))
    expect(await asked({ expires_at: '2999-01-01T00:00:00.001Z' })).toEqual(notGiven('/expires_at'))
    expect(await asked({ expires_at: null })).toEqual(notGiven('/expires_at'))
    expect(await asked({ quota: { events_per_s: 9, bytes_per_s: 5 }, expires_at: '2998-01-01T00:00:00Z' })).toEqual([
      201,
      undefined,
    ])
  })

  test('an admin reaches no other tenant, whether to make, list or revoke', async () => {
    const admin = await create({ scopes: ['admin'], tenant: 'acme-3' })
    const { id } = await create({ scopes: ['events:read'], tenant: 'acme-4' })
    const made = await one.call('POST', '/v1/api-keys', admin.key, { name: 'x', scopes: ['admin'], tenant: 'acme-4' })
    const listed = await one.call('GET', '/v1/api-keys?tenant=acme-4', admin.key)
    const revoked = await one.call('DELETE', `/v1/api-keys/${id}`, admin.key)
    expect([made.status, listed.status, revoked.status]).toEqual([403, 403, 404])
    expect((await one.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(204)
  })
})

describe('a quota beyond 2^53 - 1', () => {
  test.each([2 ** 53, 1e300])('%p is refused for a new key and for one that exists', async (bytes_per_s) => {
    const { id } = await create({ scopes: ['events:read'], tenant: 'refused-quota' })
    const refused = { status: 422, body: { errors: [{ pointer: '/quota/bytes_per_s' }] } }
    const asked = { name: 'x', scopes: ['events:read'], quota: { bytes_per_s } }
    expect(await one.call('POST', '/v1/api-keys', ROOT, asked)).toMatchObject(refused)
    expect(await one.call('PATCH', `/v1/api-keys/${id}`, ROOT, { quota: { bytes_per_s } })).toMatchObject(refused)
  })

  test('of a stored key hinders neither its requests, nor the list, nor its deletion', async () => {
    const { id, key } = await create({ scopes: ['events:read'], tenant: 'large-quota', quota: { bytes_per_s: 5 } })
    const owner = database.openPool({ owner: true })
    await owner.query(`UPDATE api_keys SET quota_bytes_per_s = 9007199254740992 WHERE tenant_id = 'large-quota'`)
    const quota = { events_per_s: null, bytes_per_s: Number.MAX_SAFE_INTEGER }
    expect(await other.call('GET', CURRENT, key)).toMatchObject({ status: 200, body: { quota } })
    const list = await one.call('GET', '/v1/api-keys?tenant=large-quota', ROOT)
    expect(list).toMatchObject({ status: 200, body: { data: [{ id, quota }] } })
    expect((await one.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(204)
  })
})

describe('GET /v1/api-keys', () => {
  test('pages newest first, and a cursor of another tenant is refused', async () => {
    const ids: string[] = []
    for (let n = 0; n < 3; n += 1) ids.unshift((await create({ scopes: ['webhooks'], tenant: 'pages' })).id)
    const first = await one.call('GET', '/v1/api-keys?tenant=pages&limit=2', ROOT)
    const cursor = String(first.body['next_cursor'])
    const second = await other.call('GET', `/v1/api-keys?tenant=pages&limit=2&cursor=${cursor}`, ROOT)
    expect([...(first.body.data ?? []), ...(second.body.data ?? [])].map(({ id }) => id)).toEqual(ids)
    expect([first.body['has_more'], second.body['has_more'], second.body['next_cursor']]).toEqual([true, false, null])
    expect((await one.call('GET', `/v1/api-keys?limit=2&cursor=${cursor}`, ROOT)).status).toBe(400)
  })
})

describe('DELETE /v1/api-keys/{id}', () => {
  test('stops the key in every process within a second', async () => {
    const { id, key } = await create({ scopes: ['events:read'] })
    for (const process of [one, other]) expect((await process.call('GET', CURRENT, key)).status).toBe(200)
    expect((await one.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(204)
    const refused = async (): Promise<boolean> => {
      const answers = await Promise.all([one, other].map((process) => process.call('GET', CURRENT, key)))
      return answers.every(({ status }) => status === 401)
    }
    await eventually('the key is refused', refused, { timeoutMs: DEADLINES.keyChange })
    expect((await one.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(404)
  })

  test('a write of the key that waits for its turn is refused, and nothing of it is done', async () => {
    const reader = await create({ scopes: ['webhooks'], tenant: 'waiting' })
    const { id, key } = await create({ scopes: ['webhooks'], tenant: 'waiting' })
    const typesOf = async () => (await one.call('GET', '/v1/event-types', key)).status
    expect(await typesOf()).toBe(200)
    const blocker = await database.openPool({ owner: true }).connect()
    await blocker.query('BEGIN')
    await blocker.query('LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE')
    // Each read ends after 5 s at the latest: these keep the places of the tenant longer than any test may take.
    const reads = Array.from({ length: 60 }, () => one.call('GET', '/v1/webhooks', reader.key))
    const blocked = 'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))'
    await eventually('the tenant has no place', async () => (await blocker.query(blocked)).rows.length === 3)
    const write = one.call('POST', '/v1/webhooks', key, { url: 'https://example.com/', events: ['*'] })
    expect((await other.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(204)
    await eventually('the key is refused', async () => (await typesOf()) === 401)
    await blocker.query('COMMIT')
    expect((await write).status).toBe(401)
    const { rows } = await blocker.query(`SELECT FROM webhooks WHERE tenant_id = 'waiting'`)
    blocker.release()
    expect(rows).toEqual([])
    await Promise.all(reads)
  })
})

describe('PATCH /v1/api-keys/{id}', () => {
  test('changes name, quota and end in every process within a second, and merges no partial quota', async () => {
    const quota = { events_per_s: 5, bytes_per_s: 6 }
    const { id, key } = await create({ scopes: ['events:read'], quota })
    expect((await other.call('GET', CURRENT, key)).body).toMatchObject({ quota })
    const changed = { events_per_s: 7, bytes_per_s: null }
    const body = { name: 'new', quota: { events_per_s: 7 }, expires_at: '2999-01-01T00:00:00Z' }
    const answer = await one.call('PATCH', `/v1/api-keys/${id}`, ROOT, body)
    const shown = { id, name: 'new', quota: changed, expires_at: '2999-01-01T00:00:00.000Z' }
    expect(answer).toMatchObject({ status: 200, body: { object: 'api_key', scopes: ['events:read'], ...shown } })
    expect(answer.body).not.toHaveProperty('key')
    const known = async () => (await other.call('GET', CURRENT, key)).body
    await eventually(
      'the new quota is in force',
      async () => JSON.stringify((await known())['quota']) === JSON.stringify(changed),
      { timeoutMs: DEADLINES.keyChange },
    )
    expect(await known()).toMatchObject({ expires_at: shown.expires_at })
    expect(await one.call('PATCH', `/v1/api-keys/${id}`, ROOT, {})).toMatchObject({ status: 200, body: shown })
  })

  test('refuses an end in the past, members that cannot be changed, and null for the name', async () => {
    const { id } = await create({ scopes: ['events:read'] })
    const pointerOf = async (body: unknown) => {
      const answer = await one.call('PATCH', `/v1/api-keys/${id}`, ROOT, body)
      return [answer.status, ((answer.body['errors'] ?? []) as readonly { pointer: string }[])[0]?.pointer]
    }
    expect(await pointerOf({ expires_at: '2020-01-01T00:00:00Z' })).toEqual([422, '/expires_at'])
    expect(await pointerOf({ scopes: ['admin'] })).toEqual([422, '/scopes'])
    expect(await pointerOf({ name: null })).toEqual([422, '/name'])
    expect(await pointerOf({ quota: { events_per_s: 0 } })).toEqual([422, '/quota/events_per_s'])
  })

  test('PATCH, rotate and revoke are refused for keys with more rights, and give no right that the caller does not have', async () => {
    const tenant = 'rights'
    const admin = await create({ scopes: ['admin'], tenant, quota: { events_per_s: 10 } })
    const plain = await create({ scopes: ['events:read'], tenant, quota: { events_per_s: 10 } })
    const unlimited = await create({ scopes: ['events:read'], tenant })
    const operator = await create({ scopes: ['platform'], tenant, quota: { events_per_s: 1 } })
    const by = (method: string, path: string, body?: unknown) =>
      one.call(method, `/v1/api-keys/${path}`, admin.key, body)
    const refused = { status: 403, body: { code: 'not_yours_to_give' } }
    expect(await by('PATCH', plain.id, { quota: { events_per_s: 11 } })).toMatchObject(refused)
    expect(await by('PATCH', unlimited.id, { quota: { events_per_s: 5 } })).toMatchObject(refused)
    expect(await by('POST', `${unlimited.id}/rotate`)).toMatchObject(refused)
    expect(await by('PATCH', operator.id, { name: 'x' })).toMatchObject(refused)
    expect(await by('POST', `${operator.id}/rotate`)).toMatchObject(refused)
    expect(await by('DELETE', operator.id)).toMatchObject(refused)
    expect((await by('PATCH', plain.id, { quota: { events_per_s: 9 } })).status).toBe(200)
    expect((await by('DELETE', unlimited.id)).status).toBe(204)
    const foreign = await create({ scopes: ['events:read'], tenant: 'rights-2' })
    for (const [method, path] of [
      ['PATCH', foreign.id],
      ['POST', `${foreign.id}/rotate`],
      ['DELETE', foreign.id],
    ] as const) {
      expect(await by(method, path, method === 'DELETE' ? undefined : {})).toMatchObject({ status: 404 })
    }
  })
})

describe('POST /v1/api-keys/{id}/rotate', () => {
  test('gives the key a new secret once; both work until the overlap ends, then only the new one', async () => {
    const { id, key } = await create({ scopes: ['events:read'], tenant: 'rotating' })
    expect((await other.call('GET', CURRENT, key)).status).toBe(200)
    const overlapHours = 3 / 3600
    const rotated = await one.call('POST', `/v1/api-keys/${id}/rotate`, ROOT, { overlap_hours: overlapHours })
    expect(rotated).toMatchObject({ status: 201, body: { object: 'api_key', id, tenant: 'rotating' } })
    const renewed = rotated.body.key ?? ''
    expect(renewed).toMatch(/^ak_/)
    expect(renewed).not.toBe(key)
    for (const secret of [key, renewed]) expect((await other.call('GET', CURRENT, secret)).body).toMatchObject({ id })
    expect(await one.call('POST', `/v1/api-keys/${id}/rotate`, ROOT)).toMatchObject({
      status: 409,
      body: { code: 'rotation_under_way' },
    })
    await eventually('the key is refused', async () => (await other.call('GET', CURRENT, key)).status === 401)
    expect((await other.call('GET', CURRENT, renewed)).status).toBe(200)
  })

  test('without overlap the old secret stops in every process within a second', async () => {
    const { id, key } = await create({ scopes: ['events:read'] })
    for (const process of [one, other]) expect((await process.call('GET', CURRENT, key)).status).toBe(200)
    expect((await one.call('POST', `/v1/api-keys/${id}/rotate`, ROOT, { overlap_hours: 0 })).status).toBe(201)
    for (const process of [one, other]) {
      await eventually(
        'the process refuses the key',
        async () => (await process.call('GET', CURRENT, key)).status === 401,
        { timeoutMs: DEADLINES.keyChange },
      )
    }
  })
})

async function lastUse(): Promise<unknown> {
  return (await one.call('GET', '/v1/api-keys?tenant=used', ROOT)).body.data?.[0]?.['last_used_at']
}

test('a list shows when a key was last used, to the minute, within 60 s', async () => {
  const { key } = await create({ scopes: ['events:read'], tenant: 'used' })
  const startedMs = Math.floor(Date.now() / 60_000) * 60_000
  expect(await lastUse()).toBeNull()
  expect((await other.call('GET', CURRENT, key)).status).toBe(200)
  await eventually('the last use is stored', async () => (await lastUse()) !== null)
  const shown = Date.parse(String(await lastUse()))
  expect(shown % 60_000).toBe(0)
  expect(shown).toBeGreaterThanOrEqual(startedMs)
})

describe('while Postgres cannot be reached', () => {
  test('cached keys work and others are 503; a key revoked meanwhile stops within a second of the return', async () => {
    const { id, key } = await create({ scopes: ['events:read'] })
    const kept = await create({ scopes: ['events:read'] })
    for (const cached of [key, kept.key]) expect((await behindProxy.call('GET', CURRENT, cached)).status).toBe(200)

    proxy.freeze()
    await eventually('Postgres is lost', () => behindProxy.running.ready().checks['keys'] !== 'ok')
    expect((await behindProxy.call('GET', CURRENT, key)).status).toBe(200)
    expect(await behindProxy.call('GET', CURRENT, STRANGER)).toMatchObject({
      status: 503,
      body: { code: 'authentication_unavailable' },
    })
    expect(behindProxy.running.ready().ready).toBe(true)
    expect((await one.call('DELETE', `/v1/api-keys/${id}`, ROOT)).status).toBe(204)

    proxy.dropAll()
    proxy.resume()
    await eventually('Postgres is found again', () => behindProxy.running.ready().checks['keys'] === 'ok')
    const refused = async (): Promise<boolean> => (await behindProxy.call('GET', CURRENT, key)).status === 401
    await eventually('the key is refused', refused, { timeoutMs: DEADLINES.keyChange })
    expect((await behindProxy.call('GET', CURRENT, kept.key)).status).toBe(200)
    expect((await behindProxy.call('GET', CURRENT, STRANGER)).status).toBe(401)
  })
})
