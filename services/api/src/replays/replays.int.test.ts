import { createStreamIds } from '@ariftly/http'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { openEpoch } from '@ariftly/store/projection'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const KEYS = generateEncryptionKey('k1')
const DAY_MS = 86_400_000

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
await seedBootstrapKey(admin, ROOT)
const api = await startTestApi(database.url, KEYS)
const streamIds = createStreamIds(createKeyring(KEYS))

beforeAll(async () => {
  await openEpoch(admin, { topic: 'events', clusterId: 'test', topicId: 'test' })
  await admin.query(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset)
     VALUES ('events', 1, 'events', 0, 100), ('events', 1, 'events', 1, 100)`,
  )
  await admin.query(
    `INSERT INTO log_times (epoch, partition, "offset", appended_at)
     VALUES (1, 0, 5, now() - interval '40 d'), (1, 0, 20, now() - interval '1 d'), (1, 1, 7, now() - interval '2 d')`,
  )
})
afterAll(() => api.close().then(() => database.drop()))

/** A replay to a new webhook from these offsets, and what is stored of its start. */
async function replayFrom(offsets: readonly number[], more: object = {}) {
  const from = streamIds.seal({ epoch: 1, position: Float64Array.from(offsets) })
  const webhookId = await insertSampleWebhook(admin, { tenant: 'default' })
  const { status, body } = await api.call('POST', `/v1/webhooks/${webhookId}/replay`, ROOT, { from, ...more })
  expect({ status, from: body['from'] }).toEqual({ status: 202, from })
  const { rows } = await admin.query(
    'SELECT from_epoch, from_offsets::text FROM webhook_replays ORDER BY id DESC LIMIT 1',
  )
  return { body, stored: rows[0] as unknown }
}

test('a position behind which nothing is older than 30 days is kept unchanged', async () => {
  const { body, stored } = await replayFrom([6, 0])
  expect(body).toMatchObject({ truncated: false, status: 'running' })
  expect(stored).toEqual({ from_epoch: 1, from_offsets: '{6,0}' })
})

test('one behind which something is older begins 30 days ago and says so', async () => {
  const { body, stored } = await replayFrom([5, 0])
  expect(body).toMatchObject({ truncated: true })
  expect(Math.abs(Date.now() - 30 * DAY_MS - Date.parse(String(body['after'])))).toBeLessThan(60_000)
  expect(stored).toEqual({ from_epoch: null, from_offsets: null })
})

test('a replay from a position shows a time before the first event behind it, and takes a time at which it ends', async () => {
  await admin.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT 'default', (left(uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint)::text, 35) || n)::uuid, 'task.created', 1, 1, n,
            now() - (20 - n) * interval '1 h', '{}'
       FROM generate_series(7, 9) n`,
  )
  const before = new Date(Date.now() - 60_000).toISOString()
  const { body } = await replayFrom([30, 8], { before })
  const agoMs = Date.now() - Date.parse(String(body['after']))
  expect(agoMs).toBeGreaterThanOrEqual(12 * 3_600_000)
  expect(agoMs).toBeLessThan(12 * 3_600_000 + 60_000)
  expect(body).toMatchObject({ before, truncated: false })
})
