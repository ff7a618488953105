import { createHash } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createPool, migrate, MIGRATIONS_DIR, type Pool } from '@ariftly/store'
import { callApi, createWorld, eventually, testFolder, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

/** The migrations of the previous release (d8d7e9a). */
const FORMER = [
  '0001_roles_events',
  '0002_projection',
  '0003_api_keys',
  '0004_webhooks',
  '0005_replays',
  '0006_expire_replays',
]
const KEY = 'key_of_the_former_release_0001'
const OPERATOR = 'key_of_the_former_release_0002'
const DATABASE = `test_former_${process.pid}`

let world: World
let owner: Pool
let api: string

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  await world.admin.query(`CREATE DATABASE ${DATABASE}`)
  const url = Object.assign(new URL(world.env['DATABASE_ADMIN_URL'] ?? ''), { pathname: `/${DATABASE}` }).href
  const dir = testFolder('migrations')
  for (const name of FORMER) copyFileSync(join(MIGRATIONS_DIR, `${name}.sql`), join(dir, `${name}.sql`))
  owner = createPool({ role: null, url, applicationName: 'test', max: 2 })
  await migrate(url, { dir })
  await insertFormerData()
  await migrate(url)
  await world.startService('projector', { DATABASE_URL: url })
  ;({ url: api } = await world.startService('api', { DATABASE_URL: url }))
})
afterAll(async () => {
  await owner?.end()
  await world?.admin.query(`DROP DATABASE ${DATABASE} WITH (FORCE)`)
  await world?.close()
})

async function insertFormerData(): Promise<void> {
  const { rows } = await world.admin.query<{ epoch: number; topic: string; cluster_id: string }>(
    'SELECT epoch, topic, cluster_id FROM log_epochs',
  )
  const [epoch] = rows
  await owner.query('INSERT INTO log_epochs (epoch, topic, cluster_id) VALUES ($1, $2, $3)', [
    epoch?.epoch,
    epoch?.topic,
    epoch?.cluster_id,
  ])
  for (const [key, tenant, scopes] of [
    [KEY, 'acme', ['events:read', 'webhooks', 'admin']],
    [OPERATOR, 'default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform']],
  ] as const) {
    await owner.query('INSERT INTO api_keys (id, tenant_id, name, scopes, hash) VALUES ($1, $2, $3, $4, $5)', [
      typeIdToUuid('key', newTypeId('key')),
      tenant,
      'former',
      scopes,
      createHash('sha256').update(key).digest(),
    ])
  }
  const atMs = Date.now()
  const event = typeIdToUuid('evt', newTypeId('evt', atMs))
  await owner.query(
    `INSERT INTO events (tenant_id, id, type, task_id, epoch, partition, "offset", appended_at, data)
     VALUES ('acme', $1, 'task.created', 't', 1, 0, 0, $2, '{"task_id":"t"}')`,
    [event, new Date(atMs)],
  )
  const webhook = typeIdToUuid('whk', newTypeId('whk'))
  await owner.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret) VALUES ($1, 'acme', 'https://example.com/', '{*}', '\\x00')`,
    [webhook],
  )
  await owner.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, finished_at,
                             attempt_count)
     VALUES ($1, 'acme', $2, $3, 'task.created', 1, 0, 0, 'failed', now(), 9)`,
    // An id of a delivery carries the time at which its event was appended.
    [typeIdToUuid('dlv', newTypeId('dlv', atMs)), webhook, event],
  )
}

const call = (method: string, path: string, key: string, body?: object) =>
  callApi({ url: api + path, key, method, body })

test("the previous release's data has all new features: timeline, lists of deliveries, rotation, limits, deletion", async () => {
  const [event] = (await call('GET', '/v1/events?include=log,deliveries', KEY)).body['data'] as readonly object[]
  // It was not recorded when its events were projected, or how attempts went.
  expect(event).toMatchObject({
    log: { projected_at: null },
    deliveries: [{ status: 'failed', attempt_count: 9, last_attempt_at: null, last_error_class: null }],
  })
  const { body: failed } = await call('GET', '/v1/deliveries?status=failed', KEY)
  expect(failed['data']).toHaveLength(1)

  const { body: own } = await call('GET', '/v1/api-keys/current', KEY)
  const rotated = await call('POST', `/v1/api-keys/${String(own['id'])}/rotate`, KEY, { overlap_hours: 1 })
  expect(rotated.status).toBe(201)
  for (const key of [KEY, String(rotated.body['key'])]) {
    expect((await call('GET', '/v1/events', key)).status).toBe(200)
  }
  const { body: trail } = await call('GET', '/v1/audit', KEY)
  expect(trail['data']).toMatchObject([{ action: 'api_key.rotate' }])

  expect(await call('GET', '/v1/tenants/acme', OPERATOR)).toMatchObject({ status: 200, body: { state: 'active' } })
  expect((await call('PUT', '/v1/tenants/acme', OPERATOR, { limits: { webhooks: 1 } })).status).toBe(201)
  const another = { url: 'https://example.com/', events: ['*'] }
  await eventually(
    'the webhooks of the tenant are counted',
    async () => (await call('POST', '/v1/webhooks', KEY, another)).body['code'] === 'too_many_webhooks',
  )

  expect((await call('DELETE', '/v1/tenants/acme', OPERATOR)).status).toBe(202)
  await eventually('the tenant is gone', async () => (await call('GET', '/v1/tenants/acme', OPERATOR)).status === 404)
  const { rows } = await owner.query(`SELECT FROM events WHERE tenant_id = 'acme' UNION ALL SELECT FROM deliveries`)
  expect(rows).toEqual([])
})
