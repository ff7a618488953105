import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { cancelOrphanedDeliveries } from '@ariftly/store/deliveries'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
let api: TestApi

beforeAll(async () => {
  await seedBootstrapKey(admin, ROOT)
  api = await startTestApi(database.url, generateEncryptionKey('k1'))
})
afterAll(async () => {
  await api?.close()
  await database.drop()
})

test('a deletion cancels 5,000 pending deliveries itself and leaves the rest to the sweeper', async () => {
  const id = await insertSampleWebhook(admin, { tenant: 'default' })
  const ids = Array.from({ length: 5700 }, () => newTypeId('dlv'))
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT id, 'default', $1, id, 'task.created', 1, 0, 0, now() FROM unnest($2::uuid[]) id`,
    [typeIdToUuid('whk', id), ids.map((delivery) => typeIdToUuid('dlv', delivery))],
  )
  expect((await api.call('DELETE', `/v1/webhooks/${id}`, ROOT)).status).toBe(204)
  const { rows } = await admin.query(`SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state`)
  expect(rows).toEqual([
    { state: 'cancelled', count: 5000 },
    { state: 'pending', count: 700 },
  ])
  expect(await cancelOrphanedDeliveries(admin, { limit: 1000, deletedWithinMs: 600_000 })).toBe(700)
})
