import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { ensurePositions, openEpoch } from '@ariftly/store/projection'
import { Replica } from '@ariftly/store/replicas'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const TOPIC = 'ariftly.events.v1'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
let api: TestApi

beforeAll(async () => {
  const started = startTestApi(database.url, generateEncryptionKey('k1'))
  ;[api] = await Promise.all([started, seedBootstrapKey(admin, ROOT)])
})
afterAll(async () => {
  await api?.close()
  await database.drop()
})

const get = (key: string, query = '') => api.call('GET', `/v1/system${query}`, key)

async function keyOf(scopes: readonly string[]): Promise<string> {
  const { body } = await api.call('POST', '/v1/api-keys', ROOT, { name: 'test', scopes })
  return body.key ?? ''
}

test('of an installation that has just begun says that there is nothing yet', async () => {
  const { status, body } = await get(ROOT)
  expect(status).toBe(200)
  expect(body).toEqual({
    object: 'system',
    as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    log: null,
    processes: [],
    deliveries: { pending_count: 0, due_count: 0, complete: true },
    backlogs: [],
  })
})

test('shows the newest epoch, processes, and backlogs of every tenant', async () => {
  const { epoch } = await openEpoch(admin, { topic: TOPIC, clusterId: 'test', topicId: 'test' })
  await ensurePositions(admin, { projection: 'events', epoch, topic: TOPIC, starts: new Map([[0, 2 ** 40]]) })
  const replica = new Replica(admin, 'ingest')
  await replica.renew()
  const webhook = await insertSampleWebhook(admin, { tenant: 'other', enabled: false })
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     VALUES (overlay(uuid_v7_floor($2::bigint)::text PLACING substr(gen_random_uuid()::text, 20) FROM 20)::uuid, 'other', $1,
             gen_random_uuid(), 'task.created', $3, 0, 1, now())`,
    [typeIdToUuid('whk', webhook), Date.now(), epoch],
  )
  const { body } = await get(ROOT)
  expect(body).toMatchObject({
    log: {
      epoch,
      topic: TOPIC,
      partitions: [{ partition: 0, projected_offset: String(2 ** 40), appended_at: null, matched_offset: null }],
    },
    processes: [{ service: 'ingest', id: replica.id }],
    deliveries: { pending_count: 1, due_count: 1, complete: true },
    backlogs: [
      { webhook_id: webhook, tenant: 'other', pending_count: 1, due_count: 1, enabled: false, failing_since: null },
    ],
  })
})

test('needs the scope platform, and takes no parameter', async () => {
  const [owner, watcher] = await Promise.all([
    keyOf(['events:write', 'events:read', 'webhooks', 'admin']),
    keyOf(['platform']),
  ])
  expect(await get(owner)).toMatchObject({ status: 403, body: { code: 'missing_scope' } })
  expect((await get(watcher)).status).toBe(200)
  expect((await get('none')).status).toBe(401)
  const refused = await get(watcher, '?limit=5')
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ parameter: 'limit', code: 'unknown_parameter' }] } })
})
