import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createCursorCodec } from '@ariftly/http'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const HOUR_MS = 3_600_000
const START_MS = Date.now()

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
const encryptionKeys = generateEncryptionKey('k1')
let api: TestApi
let webhook: string
/** The second was created last, as by a replay; its event is the oldest. */
const ids = [2, 3, 1].map((hours) => newTypeId('dlv', START_MS - hours * HOUR_MS))
const [old = '', newest = '', middle = ''] = ids

beforeAll(async () => {
  await seedBootstrapKey(admin, ROOT)
  api = await startTestApi(database.url, encryptionKeys)
  webhook = await insertSampleWebhook(admin, { tenant: 'default' })
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             finished_at, created_at, last_error_class, last_attempt_at, attempt_count)
     SELECT id, 'default', $2, gen_random_uuid(), 'task.created', 'task-' || n, 1, 0, n, 'failed', now(), at, 'timeout', now(), 1
       FROM unnest($1::uuid[], $3::timestamptz[]) WITH ORDINALITY AS d (id, at, n)`,
    [
      ids.map((id) => typeIdToUuid('dlv', id)),
      typeIdToUuid('whk', webhook),
      [2, 0, 1].map((hours) => new Date(START_MS - hours * HOUR_MS)),
    ],
  )
})
afterAll(async () => {
  await api?.close()
  await database.drop()
})

async function get(path: string) {
  return await api.call('GET', path, ROOT)
}

async function list(path: string): Promise<readonly unknown[] | undefined> {
  return (await get(path)).body.data?.map(({ id }) => id)
}

describe('the list of deliveries of a webhook', () => {
  const hourAgo = new Date(START_MS - HOUR_MS).toISOString()

  test('is GET /v1/deliveries with its webhook_id: the same order, filters, bounds and cursors', async () => {
    const [own, all] = [`/v1/webhooks/${webhook}/deliveries?`, `/v1/deliveries?webhook_id=${webhook}&`]
    for (const [query, expected] of [
      ['', [newest, middle, old]],
      [`after=${hourAgo}`, [newest, middle]],
      [`before=${hourAgo}`, [old]],
      ['task_id=task-3&error_class=timeout', [middle]],
      ['status=failed&type=task.failed', []],
    ] as const) {
      expect({ query, ids: await list(own + query) }).toEqual({ query, ids: expected })
      expect((await get(own + query)).body).toEqual((await get(all + query)).body)
    }
    const cursor = String((await get(`${own}limit=2`)).body['next_cursor'])
    for (const path of [own, all]) expect(await list(`${path}limit=2&cursor=${cursor}`)).toEqual([old])
  })

  test('refuses a cursor of its former order, a second webhook, and a webhook of another tenant', async () => {
    const path = `/v1/webhooks/${webhook}/deliveries`
    const bound = { tenant: 'default', webhookId: webhook }
    const former = createCursorCodec(createKeyring(encryptionKeys)).encode('deliveries', bound, middle)
    expect(await get(`${path}?cursor=${former}`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
    expect(await get(`${path}?webhook_id=${webhook}`)).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'webhook_id', code: 'unknown_parameter' }] },
    })
    const foreign = await insertSampleWebhook(admin, { tenant: 'other' })
    for (const id of [foreign, newTypeId('whk'), 'whk_1']) {
      expect(await get(`/v1/webhooks/${id}/deliveries`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })
})
