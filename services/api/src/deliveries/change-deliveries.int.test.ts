import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { withTransaction } from '@ariftly/store'
import { deleteWebhook } from '@ariftly/store/webhooks'
import { createTestDatabase, explaining, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { cancelDeliveries, redeliver } from './change-deliveries.ts'

const tenant = 'mine'
const database = await createTestDatabase()
const pool = database.openPool({ max: 8 })
const admin = database.openPool({ owner: true })
let webhookId: string

beforeEach(async () => {
  webhookId = await insertSampleWebhook(pool, { tenant })
})
afterAll(() => database.drop())

async function insert(count: number, state: 'pending' | 'queued' | 'delivered'): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => newTypeId('dlv'))
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state, due_at,
                             lease_until, finished_at)
     SELECT id, $1, $2, $3, 'task.created', 't', 1, 0, n, $4::text, CASE $4 WHEN 'pending' THEN now() + interval '1 min' END,
            CASE $4 WHEN 'queued' THEN now() + interval '1 min' END, CASE $4 WHEN 'delivered' THEN now() END
       FROM unnest($5::uuid[]) WITH ORDINALITY AS d (id, n)`,
    [
      tenant,
      typeIdToUuid('whk', webhookId),
      typeIdToUuid('evt', newEventId(Date.now())),
      state,
      ids.map((id) => typeIdToUuid('dlv', id)),
    ],
  )
  return ids
}

test('a delivery of a live webhook is sent again once, one of a deleted webhook is not', async () => {
  const [delivery = '', other = ''] = await insert(2, 'delivered')
  const send = (id: string, by = tenant) => withTransaction(pool, (tx) => redeliver(tx, { tenant: by, id }))
  expect(await send(delivery, 'other')).toBeUndefined()
  const both = await Promise.all([send(delivery), send(delivery)])
  expect(both).toMatchObject([{ status: 'pending' }, { status: 'pending' }])
  const { rows } = await admin.query('SELECT attempt FROM deliveries WHERE id = $1', [typeIdToUuid('dlv', delivery)])
  expect(rows).toEqual([{ attempt: 2 }])
  await deleteWebhook(pool, { tenant, id: webhookId })
  expect(await send(other)).toBe('webhook_deleted')
})

test('an attempt that has begun is not cancelled', async () => {
  const [begun = ''] = await insert(2, 'queued')
  await admin.query('UPDATE deliveries SET started_attempt = attempt WHERE id = $1', [typeIdToUuid('dlv', begun)])
  expect(await cancelDeliveries(pool, { tenant, webhookId, limit: 100 })).toBe(1)
  const { rows } = await admin.query<{ state: string }>(
    'SELECT state FROM deliveries WHERE webhook_id = $1 ORDER BY "offset"',
    [typeIdToUuid('whk', webhookId)],
  )
  expect(rows.map(({ state }) => state)).toEqual(['queued', 'cancelled'])
})

test('cancelling a replay reads no other waiting delivery of its webhook, also with statistics of a time before it', async () => {
  const replayId = newTypeId('rpl')
  await insert(5_000, 'pending')
  await admin.query('VACUUM ANALYZE deliveries')
  await admin.query(
    `UPDATE deliveries SET replay_id = $2
      WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = $1 ORDER BY "offset" DESC LIMIT 10)`,
    [typeIdToUuid('whk', webhookId), typeIdToUuid('rpl', replayId)],
  )
  const replay = { tenant, webhookId, replayId, limit: 1_000 }
  const { db, scans } = explaining(pool)
  // Four when it is explained, and four when it runs.
  expect(await cancelDeliveries(db, { ...replay, limit: 4 })).toBe(4)
  expect(scans.filter((node) => (node['Rows Removed by Filter'] ?? 0) > 99)).toEqual([])
  expect(scans.map((node) => node['Index Name'] ?? '').join()).toContain('_deliveries_replay')
  expect(await cancelDeliveries(pool, replay)).toBe(2)
  expect(await cancelDeliveries(pool, replay)).toBe(0)
})
