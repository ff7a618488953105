import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { generateEncryptionKey } from '@ariftly/keyring'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { startTestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
await seedBootstrapKey(admin, ROOT)
const api = await startTestApi(database.url, generateEncryptionKey('k1'))

afterAll(() => api.close().then(() => database.drop()))

async function ask(dryRun: boolean) {
  const filter = { webhook_id: newTypeId('whk') }
  return await api.call('POST', '/v1/deliveries/redeliver', ROOT, { filter, dry_run: dryRun })
}

test('a second redelivery is refused with the id of the running one, and an eleventh dry run with that of the oldest', async () => {
  const { body: real } = await ask(false)
  const dry: unknown[] = []
  for (let run = 0; run < 10; run++) dry.push((await ask(true)).body.id)
  const refused = { status: 409, body: { code: 'redelivery_under_way' } }
  expect(await ask(false)).toMatchObject({ ...refused, body: { ...refused.body, redelivery_id: real.id } })
  expect(await ask(true)).toMatchObject({ ...refused, body: { ...refused.body, redelivery_id: dry[0] } })
  await api.call('DELETE', `/v1/redeliveries/${real.id}`, ROOT)
  expect((await ask(false)).status).toBe(202)
})

test('types is another name of type, and both together are refused', async () => {
  await admin.query('DELETE FROM redeliveries')
  const filter = { webhook_id: newTypeId('whk'), types: 'task.failed,task.complete' }
  const made = await api.call('POST', '/v1/deliveries/redeliver', ROOT, { filter, dry_run: true })
  const shown = { webhook_id: filter.webhook_id, type: filter.types, status: 'failed' }
  expect(made).toMatchObject({ status: 202, body: { filter: shown } })
  expect((made.body as { filter?: object }).filter).toEqual(shown)
  for (const [wrong, pointer] of [
    [{ ...filter, type: 'task.failed' }, '/filter/types'],
    [{ ...filter, types: 'task.unknown' }, '/filter/types'],
  ] as const) {
    const refused = await api.call('POST', '/v1/deliveries/redeliver', ROOT, { filter: wrong, dry_run: true })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer, code: 'invalid_value' }] } })
  }
})

test('redeliveries of the tenant are listed newest first, page by page', async () => {
  await admin.query('DELETE FROM redeliveries')
  const ids = Array.from({ length: 5 }, (_, index) => newTypeId('rdl', Date.now() - index * 1000))
  await admin.query(
    `INSERT INTO redeliveries (id, tenant_id, filter, dry_run, state, finished_at)
     SELECT id, CASE WHEN n = 2 THEN 'other' ELSE 'default' END, '{"status":"failed"}', false, 'completed', now()
       FROM unnest($1::uuid[]) WITH ORDINALITY AS r (id, n)`,
    [ids.map((id) => typeIdToUuid('rdl', id))],
  )
  const found: unknown[] = []
  let query = '?limit=2'
  for (let pages = 0; pages < 2; pages++) {
    const { status, body } = await api.call('GET', `/v1/redeliveries${query}`, ROOT)
    expect({ status, object: body['object'], more: body['has_more'] }).toEqual({
      status: 200,
      object: 'list',
      more: pages === 0,
    })
    found.push(...(body.data ?? []).map(({ id }) => id))
    query = `?limit=2&cursor=${String(body['next_cursor'])}`
  }
  expect(found).toEqual([ids[0], ids[2], ids[3], ids[4]])
  const [first] = (await api.call('GET', '/v1/redeliveries?limit=1', ROOT)).body.data ?? []
  expect(first).toEqual((await api.call('GET', `/v1/redeliveries/${ids[0]}`, ROOT)).body)
  expect((await api.call('GET', '/v1/redeliveries?cursor=x', ROOT)).status).toBe(400)
  expect((await api.call('GET', '/v1/redeliveries?status=running', ROOT)).status).toBe(400)
})
