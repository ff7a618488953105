import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, eventually, startCuttingProxy, untilBlocking } from '@ariftly/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const WEBHOOK = { url: 'https://example.com/', events: ['*'] }

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
let api: TestApi
let encryptionKeys: string
/** A tenant of each test's own. */
let tenant: { id: string; key: string }
let tenants = 0

beforeAll(async () => {
  await seedBootstrapKey(admin, ROOT)
  encryptionKeys = generateEncryptionKey('k1')
  api = await startTestApi(database.url, encryptionKeys)
})
afterAll(async () => {
  await api?.close()
  await database.drop()
})
beforeEach(async () => {
  tenant = await keyOf(`tenant-${++tenants}`)
})

async function keyOf(name: string): Promise<{ id: string; key: string }> {
  const scopes = ['events:read', 'webhooks', 'admin']
  const { body } = await api.call('POST', '/v1/api-keys', ROOT, { name: 'test', scopes, tenant: name })
  return { id: body.id ?? '', key: body.key ?? '' }
}

const post = (path: string, body: unknown, idempotencyKey: string, key = tenant.key) =>
  api.call('POST', path, key, body, { 'idempotency-key': idempotencyKey })

function newDeliveryId(): readonly [string, string] {
  const id = newTypeId('dlv')
  return [id, typeIdToUuid('dlv', id)]
}

async function webhooks(): Promise<number> {
  return (await api.call('GET', '/v1/webhooks', tenant.key)).body.data?.length ?? -1
}

describe('Idempotency-Key', () => {
  test('the same request again has one effect and the first answer, secret and Location included', async () => {
    const first = await post('/v1/webhooks', WEBHOOK, 'once')
    const again = await post('/v1/webhooks', WEBHOOK, 'once')
    expect(first.status).toBe(201)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again).toMatchObject({ status: 201, body: first.body })
    expect(again.body['secret']).toMatch(/^whsec_/)
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await webhooks()).toBe(1)
  })

  test('works for keys, their rotation, the rotation of secrets, and replays', async () => {
    const { body: webhook } = await post('/v1/webhooks', WEBHOOK, 'a')
    const after = new Date(Date.now() - 60_000).toISOString()
    const requests = [
      ['/v1/api-keys', { name: 'x', scopes: ['events:read'] }],
      [`/v1/api-keys/${tenant.id}/rotate`, { overlap_hours: 1 }],
      [`/v1/webhooks/${webhook.id}/rotate-secret`, {}],
      [`/v1/webhooks/${webhook.id}/replay`, { after, dry_run: true }],
    ] as const
    for (const [path, body] of requests) {
      const first = await post(path, body, `key of ${path}`.replaceAll(' ', '-'))
      expect({ path, status: Math.floor(first.status / 100) }).toEqual({ path, status: 2 })
      const again = await post(path, body, `key of ${path}`.replaceAll(' ', '-'))
      expect(again).toMatchObject({ status: first.status, body: first.body })
      expect(again.headers.get('idempotent-replayed')).toBe('true')
    }
    const { rows } = await admin.query<{ action: string }>(
      `SELECT action FROM audit_entries WHERE tenant_id = $1 AND action LIKE '%rotate%'`,
      [`tenant-${tenants}`],
    )
    expect(rows).toHaveLength(2)
  })

  test('works for redeliveries, of one delivery and by a filter', async () => {
    const { body: webhook } = await post('/v1/webhooks', WEBHOOK, 'w')
    const [id, uuid] = newDeliveryId()
    await admin.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, finished_at)
       VALUES ($1, $2, $3, $1, 'task.created', 1, 0, 0, 'failed', now())`,
      [uuid, `tenant-${tenants}`, typeIdToUuid('whk', webhook.id ?? '')],
    )
    const one = await post(`/v1/deliveries/${id}/redeliver`, {}, 'one')
    expect(one.status).toBe(202)
    const repeated = await post(`/v1/deliveries/${id}/redeliver`, {}, 'one')
    expect(repeated).toMatchObject({ status: 202, body: one.body })
    expect(repeated.headers.get('idempotent-replayed')).toBe('true')
    // Under another key it is another request, which finds the delivery pending.
    const another = await post(`/v1/deliveries/${id}/redeliver`, {}, 'two')
    expect([another.status, another.headers.get('idempotent-replayed')]).toEqual([202, null])
    const filter = { filter: { webhook_id: webhook.id } }
    const many = await post('/v1/deliveries/redeliver', filter, 'many')
    expect(many.status).toBe(202)
    const again = await post('/v1/deliveries/redeliver', filter, 'many')
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([many.body, 'true'])
    const { rows } = await admin.query('SELECT FROM redeliveries WHERE tenant_id = $1', [`tenant-${tenants}`])
    expect(rows).toHaveLength(1)
  })

  test('another body, path or method under the same key is 422', async () => {
    const { body } = await post('/v1/webhooks', WEBHOOK, 'used')
    const reused = { status: 422, body: { code: 'idempotency_key_reused' } }
    expect(await post('/v1/webhooks', { ...WEBHOOK, description: 'x' }, 'used')).toMatchObject(reused)
    expect(await post(`/v1/webhooks/${body.id}/rotate-secret`, WEBHOOK, 'used')).toMatchObject(reused)
    expect(await webhooks()).toBe(1)
  })

  test('the keys of one API key are not those of another, a refusal is not stored, and other routes ignore the header', async () => {
    const other = await keyOf(`tenant-${tenants}`)
    const [mine, theirs] = [
      await post('/v1/webhooks', WEBHOOK, 'k'),
      await post('/v1/webhooks', WEBHOOK, 'k', other.key),
    ]
    expect(mine.body.id).not.toBe(theirs.body.id)
    expect((await post('/v1/webhooks', { url: 1 }, 'corrected')).status).toBe(422)
    expect((await post('/v1/webhooks', WEBHOOK, 'corrected')).status).toBe(201)
    const headers = { 'idempotency-key': 'k' }
    const path = `/v1/webhooks/${mine.body.id}`
    expect((await api.call('PATCH', path, tenant.key, { description: 'x' }, headers)).status).toBe(200)
  })

  test('a stored answer shows no secret to a reader of the table', async () => {
    const { body } = await post('/v1/webhooks', WEBHOOK, 'sealed')
    const { rows } = await admin.query<{ row: string }>(`SELECT encode(answer, 'escape') AS row FROM idempotency_keys`)
    const text = rows.map(({ row }) => row).join('\n')
    expect(text).not.toContain(String(body['secret']))
    expect(text).not.toContain('whsec_')
  })

  test('an answer is stored for 24 hours', async () => {
    const first = await post('/v1/webhooks', WEBHOOK, 'old')
    await admin.query(`UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'`)
    const later = await post('/v1/webhooks', WEBHOOK, 'old')
    expect(later.status).toBe(201)
    expect(later.body.id).not.toBe(first.body.id)
    expect(later.headers.get('idempotent-replayed')).toBeNull()
  })

  test('while the first request runs the second is 409 with Retry-After, and afterwards gets its answer', async () => {
    const blocker = await admin.connect()
    await blocker.query('BEGIN')
    await blocker.query('LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE')
    const first = post('/v1/webhooks', WEBHOOK, 'running')
    await untilBlocking(blocker)
    const second = await post('/v1/webhooks', WEBHOOK, 'running')
    await blocker.query('COMMIT')
    blocker.release()
    expect(second).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_use' } })
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await first).status).toBe(201)
    expect((await post('/v1/webhooks', WEBHOOK, 'running')).body).toEqual((await first).body)
  })

  test('a repeat whose answer was sealed with a removed key is 409, and has no second effect', async () => {
    expect((await post('/v1/webhooks', WEBHOOK, 'sealed-once')).status).toBe(201)
    const other = await startTestApi(database.url, generateEncryptionKey('k2'))
    const again = await other.call('POST', '/v1/webhooks', tenant.key, WEBHOOK, { 'idempotency-key': 'sealed-once' })
    await other.close()
    expect(again).toMatchObject({ status: 409, body: { code: 'idempotent_answer_lost' } })
    expect(again.body['detail']).toContain('201')
    expect(await webhooks()).toBe(1)
  })

  test('redeliveries under a key are administrative writes, others are not', async () => {
    const slow = await startTestApi(database.url, encryptionKeys, { ADMIN_WRITES_PER_S: '1' })
    const redeliver = async (path: string, headers: Record<string, string>) =>
      (await slow.call('POST', path, tenant.key, {}, headers)).status
    const one = `/v1/deliveries/${newTypeId('dlv')}/redeliver`
    for (let n = 0; n < 5; n += 1) expect(await redeliver(one, {})).toBe(404)
    const statuses: number[] = []
    for (let n = 0; n < 6; n += 1) {
      const path = n % 2 === 0 ? one : '/v1/deliveries/redeliver'
      statuses.push(await redeliver(path, { 'idempotency-key': `k${n}` }))
    }
    await slow.close()
    expect(statuses.slice(0, 2)).toEqual([404, 422])
    expect(statuses).toContain(429)
  })

  test('a connection that is cut before the answer: the repeat gets the answer of the first, which had its effect', async () => {
    const { hostname, port } = new URL(api.base)
    const proxy = await startCuttingProxy({ host: hostname, port: Number(port), answers: () => Buffer.alloc(0) })
    const headers = {
      authorization: `Bearer ${tenant.key}`,
      'content-type': 'application/json',
      'idempotency-key': 'cut',
    }
    const request = { method: 'POST', headers, body: JSON.stringify(WEBHOOK) }
    const lost = fetch(`http://127.0.0.1:${proxy.port}/v1/webhooks`, request).then(
      () => 'answered',
      () => 'cut',
    )
    await eventually('the webhook is made', async () => (await webhooks()) === 1)
    proxy.dropAll()
    expect(await lost).toBe('cut')
    await proxy.close()
    const again = await post('/v1/webhooks', WEBHOOK, 'cut')
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await webhooks()).toBe(1)
  })
})
