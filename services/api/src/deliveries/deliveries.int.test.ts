import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
/** Some of them end while they are redelivered. */
const DELIVERIES = 100

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

/** A new webhook and the ids of pending deliveries to it. */
async function insertPending(count: number): Promise<{ readonly webhook: string; readonly ids: readonly string[] }> {
  const webhook = await insertSampleWebhook(admin, { tenant: 'default' })
  const ids = Array.from({ length: count }, () => newTypeId('dlv'))
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT id, 'default', $1, id, 'task.created', 1, 0, 0, now() FROM unnest($2::uuid[]) id`,
    [typeIdToUuid('whk', webhook), ids.map((id) => typeIdToUuid('dlv', id))],
  )
  return { webhook, ids }
}

test('the deletion of a webhook cancels 5,000 pending deliveries and leaves the rest to the sweeper', async () => {
  const { webhook } = await insertPending(5700)
  expect((await api.call('DELETE', `/v1/webhooks/${webhook}`, ROOT)).status).toBe(204)
  const { rows } = await admin.query(
    'SELECT state, count(*) FROM deliveries WHERE webhook_id = $1 GROUP BY state ORDER BY state',
    [typeIdToUuid('whk', webhook)],
  )
  expect(rows).toEqual([
    { state: 'cancelled', count: 5000 },
    { state: 'pending', count: 700 },
  ])
})

test('a delivery that ends at the same moment is sent again or due: no answer refuses it', async () => {
  const { ids } = await insertPending(DELIVERIES)
  const answers = new Set<unknown>()
  for (const id of ids) {
    const end = `UPDATE deliveries SET state = 'delivered', due_at = NULL, finished_at = now() WHERE id = $1`
    const [{ status, body }] = await Promise.all([
      api.call('POST', `/v1/deliveries/${id}/redeliver`, ROOT),
      admin.query(end, [typeIdToUuid('dlv', id)]),
    ])
    answers.add(`${status} ${String(body['status'])}`)
  }
  expect([...answers]).toEqual(['202 pending'])
})
