import { afterAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { cancelOrphanedDeliveries } from './cancel-orphaned-deliveries.ts'

const database = await createTestDatabase()
const pool = database.openPool()
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

async function insertPending(webhookId: string, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT id, 'mine', $2, id, 'task.created', 1, 0, 0, now() FROM unnest($1::uuid[]) id`,
    [Array.from({ length: count }, () => typeIdToUuid('dlv', newTypeId('dlv'))), typeIdToUuid('whk', webhookId)],
  )
}

async function statesOf(webhookId: string): Promise<unknown> {
  const { rows } = await pool.query(
    'SELECT state, count(*)::int FROM deliveries WHERE webhook_id = $1 GROUP BY state',
    [typeIdToUuid('whk', webhookId)],
  )
  return rows
}

test('deliveries of a deleted webhook are cancelled at any age, also when no process did so for days; those of others are not', async () => {
  const alive = await insertSampleWebhook(pool)
  const [gone, lately] = [newTypeId('whk'), newTypeId('whk')]
  for (const [id, ago] of [
    [gone, '3 days'],
    [lately, '1 minute'],
  ] as const) {
    await admin.query(
      `INSERT INTO webhooks (id, tenant_id, url, events, secret, deleted_at)
       VALUES ($1, 'mine', 'https://example.com/', '{*}', '', now() - $2::interval)`,
      [typeIdToUuid('whk', id), ago],
    )
  }
  await insertPending(alive, 1)
  await insertPending(lately, 2)
  await insertPending(gone, 5)
  expect(await cancelOrphanedDeliveries(pool, { limit: 100, deletedWithinMs: 3_600_000 })).toBe(2)
  expect(await statesOf(lately)).toEqual([{ state: 'cancelled', count: 2 }])
  expect(await cancelOrphanedDeliveries(pool, { limit: 3 })).toBe(3)
  expect(await cancelOrphanedDeliveries(pool, { limit: 3 })).toBe(2)
  expect(await cancelOrphanedDeliveries(pool, { limit: 3 })).toBe(0)
  expect(await statesOf(gone)).toEqual([{ state: 'cancelled', count: 5 }])
  expect(await statesOf(alive)).toEqual([{ state: 'pending', count: 1 }])
})
