import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
/** Some of them end just between the two reads of a redelivery. */
const DELIVERIES = 200

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

test('of a delivery that ends at the same moment no answer says that its webhook is deleted', async () => {
  const webhookId = typeIdToUuid('whk', await insertSampleWebhook(admin, { tenant: 'default' }))
  const ids = Array.from({ length: DELIVERIES }, () => newTypeId('dlv'))
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT id, 'default', $1, id, 'task.created', 1, 0, 0, now() FROM unnest($2::uuid[]) id`,
    [webhookId, ids.map((id) => typeIdToUuid('dlv', id))],
  )
  const codes = new Set<unknown>()
  for (const id of ids) {
    const end = `UPDATE deliveries SET state = 'delivered', due_at = NULL, finished_at = now() WHERE id = $1`
    const [{ status, body }] = await Promise.all([
      api.call('POST', `/v1/deliveries/${id}/redeliver`, ROOT),
      admin.query(end, [typeIdToUuid('dlv', id)]),
    ])
    codes.add(status === 202 ? 'redelivered' : body['code'])
  }
  // Which of the two depends on which is first.
  expect(['redelivered', 'delivery_pending']).toEqual(expect.arrayContaining([...codes]))
})
