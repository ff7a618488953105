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
      ['types=task.failed,task.created', [newest, middle, old]],
    ] as const) {
      expect({ query, ids: await list(own + query) }).toEqual({ query, ids: expected })
      expect((await get(own + query)).body).toEqual((await get(all + query)).body)
    }
    const cursor = String((await get(`${own}limit=2`)).body['next_cursor'])
    for (const path of [own, all]) expect(await list(`${path}limit=2&cursor=${cursor}`)).toEqual([old])
  })

  test('refuses both names of the types together', async () => {
    for (const path of [`/v1/webhooks/${webhook}/deliveries?`, '/v1/deliveries?status=failed&']) {
      expect(await get(`${path}type=task.failed&types=task.failed`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_parameter', errors: [{ parameter: 'types', code: 'invalid_parameter' }] },
      })
    }
  })

  test('refuses a cursor of its previous order, a second webhook, and a webhook of another tenant', async () => {
    const path = `/v1/webhooks/${webhook}/deliveries`
    const bound = { tenant: 'default', webhookId: webhook }
    const previous = createCursorCodec(createKeyring(encryptionKeys)).encode('deliveries', bound, middle)
    expect(await get(`${path}?cursor=${previous}`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } })
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

describe('include=attempts', () => {
  test('shows the newest 20 attempts of each delivery, newest first, without the answers to them', async () => {
    await admin.query(
      `INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, started_at, total_ms, status, error_class, address,
                             response_headers, response_body)
       SELECT id, n, 'default', $3, now(), n, 500, 'http_5xx', '192.0.2.1', '{"a":"b"}', 'oops'
         FROM unnest($1::uuid[], $2::int[]) AS d (id, attempts), generate_series(1, attempts) AS n`,
      [[old, newest].map((id) => typeIdToUuid('dlv', id)), [20, 21], typeIdToUuid('whk', webhook)],
    )
    const query = 'include=attempts&limit=100'
    const { body } = await get(`/v1/deliveries?webhook_id=${webhook}&${query}`)
    expect((await get(`/v1/webhooks/${webhook}/deliveries?${query}`)).body).toEqual(body)
    const shown = (body.data ?? []).map((delivery) => ({
      id: delivery.id,
      attempts: (delivery['attempts'] as { attempt: number }[]).map(({ attempt }) => attempt),
      truncated: delivery['attempts_truncated'],
    }))
    const numbers = Array.from({ length: 21 }, (_, index) => 21 - index)
    expect(shown).toEqual([
      { id: newest, attempts: numbers.slice(0, 20), truncated: true },
      { id: middle, attempts: [], truncated: undefined },
      { id: old, attempts: numbers.slice(1), truncated: undefined },
    ])
    const { attempts: all = [] } = (await get(`/v1/deliveries/${old}`)).body as { attempts?: readonly object[] }
    const { response_headers: headers, response_body: text, ...rest } = all.at(-1) as Record<string, unknown>
    expect({ headers, text }).toEqual({ headers: { a: 'b' }, text: 'oops' })
    expect(body.data?.[2]).toMatchObject({ attempts: expect.arrayContaining([rest]) })
    const plain = (await get(`/v1/deliveries?webhook_id=${webhook}`)).body.data ?? []
    expect(plain.flatMap(Object.keys)).not.toContain('attempts')
  })

  test('takes at most 100 deliveries a page, and the cursor of a page without', async () => {
    const path = `/v1/webhooks/${webhook}/deliveries?include=attempts`
    expect(await get(`${path}&limit=101`)).toMatchObject({ status: 400, body: { errors: [{ parameter: 'limit' }] } })
    const cursor = String((await get(`/v1/deliveries?webhook_id=${webhook}&limit=2`)).body['next_cursor'])
    expect(await list(`${path}&cursor=${cursor}`)).toEqual([old])
  })
})
