import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, DEADLINES, eventually } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const CURRENT = '/v1/api-keys/current'

const database = await createTestDatabase()
let one: TestApi
let other: TestApi
/** Paced as in production. */
let paced: TestApi

beforeAll(async () => {
  await seedBootstrapKey(database.openPool({ owner: true }), ROOT)
  const encryptionKeys = generateEncryptionKey('k1')
  one = await startTestApi(database.url, encryptionKeys)
  other = await startTestApi(database.url, encryptionKeys)
  paced = await startTestApi(database.url, encryptionKeys, { ADMIN_WRITES_PER_S: '10' })
})
afterAll(async () => {
  await Promise.all([one, other, paced].map((api) => api?.close()))
  await database.drop()
})

async function keyOf(tenant: string, scopes: readonly string[]): Promise<{ id: string; key: string }> {
  const { status, body } = await one.call('POST', '/v1/api-keys', ROOT, { name: 'test', scopes, tenant })
  expect(status).toBe(201)
  return { id: body.id ?? '', key: body.key ?? '' }
}

const put = (id: string, body: unknown) => one.call('PUT', `/v1/tenants/${id}`, ROOT, body)

/** The status of a refused PUT, and what its first error names. */
async function refusal(id: string, body: unknown): Promise<readonly unknown[]> {
  const answer = await put(id, body)
  const [error] = (answer.body['errors'] ?? []) as readonly { pointer?: string; parameter?: string }[]
  return [answer.status, error?.pointer ?? error?.parameter]
}

describe('PUT /v1/tenants/{id}', () => {
  test('answers 201, then 200, keeps absent members, and GET and the list show it', async () => {
    const unknown = await one.call('GET', '/v1/tenants/fresh', ROOT)
    const limits = { events_per_s: null, streams: null, webhooks: null, api_keys: null }
    expect(unknown).toMatchObject({ status: 200, body: { object: 'tenant', id: 'fresh', state: 'active', limits } })
    const first = await put('fresh', { limits: { events_per_s: 5, webhooks: 2 } })
    expect(first).toMatchObject({
      status: 201,
      body: { state: 'active', limits: { ...limits, events_per_s: 5, webhooks: 2 } },
    })
    expect(first.headers.get('location')).toBe('/v1/tenants/fresh')
    const second = await put('fresh', { state: 'suspended', limits: { events_per_s: null } })
    expect(second).toMatchObject({ status: 200, body: { state: 'suspended', limits: { ...limits, webhooks: 2 } } })
    expect((await other.call('GET', '/v1/tenants/fresh', ROOT)).body).toEqual(second.body)
    const listed = await one.call('GET', '/v1/tenants?limit=1', ROOT)
    expect(listed.body.data).toEqual([second.body])
  })

  test('refuses what it does not know, by pointer, and ids that no tenant can have', async () => {
    expect(await refusal('a', { state: 'deleting' })).toEqual([422, '/state'])
    expect(await refusal('a', { limits: { streams: 0 } })).toEqual([422, '/limits/streams'])
    expect(await refusal('a', { limits: { streams: 1_000_001 } })).toEqual([422, '/limits/streams'])
    expect(await refusal('a', { limits: { disks: 1 } })).toEqual([422, '/limits/disks'])
    expect(await refusal('a', { limits: null })).toEqual([422, '/limits'])
    expect(await refusal('a', { name: 'x' })).toEqual([422, '/name'])
    expect(await refusal('UPPER', {})).toEqual([400, 'id'])
    expect((await one.call('GET', '/v1/tenants/UPPER', ROOT)).status).toBe(404)
  })

  test('an id that was deleted, or of which nothing is known, is not deleted, and neither is default', async () => {
    const remove = (id: string) => one.call('DELETE', `/v1/tenants/${id}`, ROOT)
    expect((await remove('typed-wrong')).status).toBe(404)
    const { key: platform } = await keyOf('operators', ['platform'])
    const refused = await one.call('DELETE', '/v1/tenants/default', platform)
    expect(refused).toMatchObject({ status: 409, body: { code: 'own_tenant' } })
    await keyOf('removed', ['admin'])
    expect(await remove('removed')).toMatchObject({ status: 202, body: { state: 'deleting', deleted_count: 0 } })
    expect(await put('removed', {})).toMatchObject({ status: 409, body: { code: 'tenant_deleting' } })
    const states = async (query: string) => (await one.call('GET', `/v1/tenants${query}`, ROOT)).body.data ?? []
    expect(await states('?state=deleting')).toMatchObject([{ id: 'removed' }])
    expect(await states('?state=deleted')).toEqual([])
    expect((await one.call('GET', '/v1/tenants?state=gone', ROOT)).status).toBe(400)
  })

  test('a write whose key was checked before the deletion began is refused in its transaction', async () => {
    const { key } = await keyOf('overtaken', ['webhooks'])
    const body = { url: 'https://example.com/', events: ['*'] }
    expect((await one.call('POST', '/v1/webhooks', key, body)).status).toBe(201)
    // Holds the write between its check of the key and its end.
    const pool = database.openPool({ owner: true })
    const holder = await pool.connect()
    await holder.query('BEGIN')
    await holder.query(`SELECT pg_advisory_xact_lock(hashtextextended('ariftly webhooks overtaken', 0))`)
    const late = one.call('POST', '/v1/webhooks', key, body, { 'idempotency-key': 'late' })
    await eventually(
      'a session waits',
      async () => (await holder.query(`SELECT FROM pg_locks WHERE NOT granted`)).rowCount === 1,
    )
    expect((await one.call('DELETE', '/v1/tenants/overtaken', ROOT)).status).toBe(202)
    await holder.query('COMMIT')
    holder.release()
    expect(await late).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } })
    expect((await pool.query(`SELECT FROM webhooks WHERE tenant_id = 'overtaken'`)).rowCount).toBe(1)
  })

  test('needs the scope platform', async () => {
    const admin = await keyOf('plain', ['admin'])
    for (const [method, path] of [
      ['GET', '/v1/tenants'],
      ['GET', '/v1/tenants/plain'],
      ['PUT', '/v1/tenants/plain'],
    ] as const) {
      const answer = await one.call(method, path, admin.key, method === 'PUT' ? {} : undefined)
      expect(answer).toMatchObject({ status: 403, body: { code: 'missing_scope' } })
    }
  })

  test('a suspended tenant is refused in every process within a second, its platform keys are not, and it can be resumed', async () => {
    const reader = await keyOf('stopped', ['events:read'])
    const operator = await keyOf('stopped', ['platform'])
    for (const api of [one, other]) expect((await api.call('GET', CURRENT, reader.key)).status).toBe(200)
    await put('stopped', { state: 'suspended' })
    for (const api of [one, other]) {
      const refused = async () => (await api.call('GET', CURRENT, reader.key)).body['code'] === 'tenant_suspended'
      await eventually('the tenant is refused', refused, { timeoutMs: DEADLINES.keyChange })
      expect((await api.call('GET', '/v1/events', reader.key)).status).toBe(403)
    }
    expect((await one.call('GET', CURRENT, operator.key)).status).toBe(200)
    await put('stopped', { state: 'active' })
    for (const api of [one, other]) {
      const served = async () => (await api.call('GET', CURRENT, reader.key)).status === 200
      await eventually('the tenant is served', served, { timeoutMs: DEADLINES.keyChange })
    }
  })

  test('limits the webhooks of the tenant in place of the default', async () => {
    const { key } = await keyOf('few-webhooks', ['webhooks'])
    await put('few-webhooks', { limits: { webhooks: 1 } })
    const create = () => one.call('POST', '/v1/webhooks', key, { url: 'https://example.com/', events: ['*'] })
    expect((await create()).status).toBe(201)
    expect(await create()).toMatchObject({ status: 409, body: { code: 'too_many_webhooks' } })
  })

  test('limits the keys of the tenant that are not revoked; one that has more keeps them', async () => {
    const { id, key } = await keyOf('few-keys', ['admin'])
    const create = () => one.call('POST', '/v1/api-keys', key, { name: 'more', scopes: ['events:read'] })
    const made = await create()
    await put('few-keys', { limits: { api_keys: 1 } })
    expect(await create()).toMatchObject({ status: 409, body: { code: 'too_many_api_keys' } })
    for (const each of [key, made.body.key ?? '']) expect((await one.call('GET', CURRENT, each)).status).toBe(200)
    await one.call('DELETE', `/v1/api-keys/${made.body.id}`, key)
    expect(await create()).toMatchObject({ status: 409, body: { code: 'too_many_api_keys' } })
    await put('few-keys', { limits: { api_keys: 2 } })
    const created = await Promise.all([create(), create(), create()])
    expect(created.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409])
    const { data = [] } = (await one.call('GET', '/v1/api-keys', key)).body
    const madeId = created.find(({ status }) => status === 201)?.body.id
    expect(data.map((each) => each.id)).toEqual([madeId, id])
    await put('few-keys', { limits: { api_keys: null } })
    expect((await create()).status).toBe(201)
  })
})

describe('GET /v1/audit', () => {
  test('shows who changed what under which request, newest first, without secrets', async () => {
    const admin = await keyOf('audited', ['admin', 'webhooks'])
    const webhook = await one.call(
      'POST',
      '/v1/webhooks',
      admin.key,
      { url: 'https://example.com/', events: ['*'], secret: 'a-secret-of-mine' },
      { 'x-request-id': 'req-of-mine' },
    )
    const path = `/v1/webhooks/${webhook.body.id}`
    const filter = { 'data.token': 'a-value-of-mine' }
    await one.call('PATCH', path, admin.key, { description: 'x', headers: { 'x-token': 'another-value' }, filter })
    await one.call('POST', `${path}/rotate-secret`, admin.key, {})
    await one.call('DELETE', path, admin.key)
    await one.call('PATCH', `/v1/api-keys/${admin.id}`, admin.key, { name: 'y' })
    // Refused, and without an effect: neither is a change.
    await one.call('PATCH', path, admin.key, { description: 'x' })
    await one.call('PATCH', `/v1/api-keys/${admin.id}`, admin.key, {})
    await put('audited', {})
    const listed = await one.call('GET', '/v1/audit', admin.key)
    const entries = listed.body.data ?? []
    const webhookId = webhook.body.id
    expect(entries.map(({ action, target }) => [action, target])).toEqual([
      ['tenant.put', 'audited'],
      ['api_key.update', admin.id],
      ['webhook.delete', webhookId],
      ['webhook.rotate_secret', webhookId],
      ['webhook.update', webhookId],
      ['webhook.create', webhookId],
      ['api_key.create', admin.id],
    ])
    const created = entries.find(({ action }) => action === 'webhook.create')
    expect(created).toMatchObject({
      object: 'audit_entry',
      key_id: admin.id,
      tenant: 'audited',
      request_id: 'req-of-mine',
    })
    expect(created?.id).toMatch(/^aud_/)
    expect(JSON.stringify(listed.body)).not.toMatch(/a-secret-of-mine|whsec_|ak_|a-value-of-mine|another-value/)
    expect(created?.['changes']).toEqual([
      { member: '/url', before: null, after: 'https://example.com/' },
      { member: '/events', before: null, after: ['*'] },
      { member: '/enabled', before: null, after: true },
      { member: '/ordering', before: null, after: 'none' },
    ])
    expect(entries.slice(1, 5).map(({ changes }) => changes)).toEqual([
      [expect.objectContaining({ member: '/name', after: 'y' })],
      [],
      [{ member: '/secret', changed: true }],
      [
        { member: '/description', before: null, after: 'x' },
        { member: '/headers', changed: true },
        { member: '/filter', changed: true },
      ],
    ])

    const byAction = await one.call('GET', '/v1/audit?action=webhook.create&tenant=audited', ROOT)
    expect(byAction.body.data).toEqual([created])
    const at = String(created?.['at'])
    const from = await one.call('GET', `/v1/audit?action=webhook.create&after=${at}`, admin.key)
    const before = await one.call('GET', `/v1/audit?action=webhook.create&before=${at}`, admin.key)
    expect([from.body.data, before.body.data]).toEqual([[created], []])
    const page = await one.call('GET', '/v1/audit?limit=3', admin.key)
    const rest = await one.call('GET', `/v1/audit?limit=9&cursor=${String(page.body['next_cursor'])}`, admin.key)
    expect([...(page.body.data ?? []), ...(rest.body.data ?? [])]).toEqual(entries)
  })

  test('shows repeated updates as one entry with their number', async () => {
    const admin = await keyOf('repeating', ['admin'])
    for (const name of ['a', 'b', 'c']) await one.call('PATCH', `/v1/api-keys/${admin.id}`, admin.key, { name })
    const { data = [] } = (await one.call('GET', '/v1/audit', admin.key)).body
    expect(data.map(({ action, count }) => [action, count])).toEqual([
      ['api_key.update', 3],
      ['api_key.create', 1],
    ])
    expect(data[0]?.['changes']).toMatchObject([{ member: '/name', after: 'c' }])
  })

  test('shows a suspension right after the creation as an entry of its own', async () => {
    await put('brief', { limits: { webhooks: 3 } })
    await put('brief', { state: 'suspended' })
    await put('brief', { state: 'active', limits: { webhooks: null } })
    const { data = [] } = (await one.call('GET', '/v1/audit?tenant=brief', ROOT)).body
    expect(data.map(({ changes, count }) => [changes, count])).toEqual([
      [
        [
          { member: '/state', before: 'suspended', after: 'active' },
          { member: '/limits/webhooks', before: 3, after: null },
        ],
        1,
      ],
      [[{ member: '/state', before: 'active', after: 'suspended' }], 1],
      [
        [
          { member: '/state', before: null, after: 'active' },
          { member: '/limits/webhooks', before: null, after: 3 },
        ],
        1,
      ],
    ])
  })

  test('shows another tenant to platform alone, and refuses unknown actions', async () => {
    const admin = await keyOf('curious', ['admin'])
    expect(await one.call('GET', '/v1/audit?tenant=audited', admin.key)).toMatchObject({ status: 403 })
    expect((await one.call('GET', '/v1/audit?action=webhook.created', admin.key)).status).toBe(400)
  })
})

describe('administrative writes', () => {
  test('are paced by tenant, refused ones too, and reads are not', async () => {
    const mine = await keyOf('hasty', ['admin'])
    const theirs = await keyOf('calm', ['admin'])
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => paced.call('POST', '/v1/api-keys', mine.key, { name: 7 })),
    )
    const late = answers.filter(({ status }) => status === 429)
    expect(answers.every(({ status }) => status === 429 || status === 422)).toBe(true)
    expect(answers.length - late.length).toBeGreaterThanOrEqual(20)
    expect(late.length).toBeGreaterThan(0)
    expect(late[0]?.body).toMatchObject({ code: 'too_many_writes' })
    expect(late[0]?.headers.get('retry-after')).toBe('1')
    expect((await paced.call('GET', '/v1/api-keys', mine.key)).status).toBe(200)
    expect((await paced.call('POST', '/v1/api-keys', theirs.key, { name: 7 })).status).toBe(422)
    const again = async () => (await paced.call('POST', '/v1/api-keys', mine.key, { name: 7 })).status === 422
    await eventually('the tenant is served again', again, { timeoutMs: DEADLINES.local })
  })
})
