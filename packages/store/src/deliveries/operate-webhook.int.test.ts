import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import type { Queryable } from '../queryable.ts'
import { cancelDeliveries } from './deliveries.ts'
import { drainWebhook } from './operate-webhook.ts'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
const pool = database.openPool()

afterAll(() => database.drop())

async function insert(webhookId: string, count: number, state: 'pending' | 'delivered', dueInS: number): Promise<void> {
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state, due_at,
                             finished_at)
     SELECT overlay(uuid_v7_floor($2::bigint)::text PLACING substr(gen_random_uuid()::text, 20) FROM 20)::uuid, 'mine', $1,
            gen_random_uuid(), 'task.created', 't', 1, 0, n, $4::text,
            CASE $4 WHEN 'pending' THEN now() + $5::int * interval '1 s' END, CASE $4 WHEN 'delivered' THEN now() END
       FROM generate_series(1, $3::int) AS n`,
    [typeIdToUuid('whk', webhookId), Date.now(), count, state, dueInS],
  )
}

/** Runs each statement and explains it; collects the lines of the plans. */
function explaining(plan: string[]): Queryable {
  async function query(text: string, values: unknown[]) {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${text}`,
      values,
    )
    plan.push(...rows.map((row) => row['QUERY PLAN']))
    return { rowCount: 0 }
  }
  return { query } as unknown as Queryable
}

test('draining a webhook reads no backlog of others, also with statistics of a time at which there was none', async () => {
  const [drained, busy] = [await insertSampleWebhook(admin), await insertSampleWebhook(admin)]
  await insert(busy, 50_000, 'delivered', 0)
  await admin.query('VACUUM ANALYZE deliveries')
  await insert(busy, 5_000, 'pending', 60)
  await insert(drained, 10, 'pending', 60)
  const plan: string[] = []
  await drainWebhook(explaining(plan), { webhookId: drained, limit: 4 })
  expect(plan.filter((line) => /Rows Removed by Filter: \d{3,}/.test(line))).toEqual([])
  expect(plan.length).toBeGreaterThan(0)
  expect(await drainWebhook(pool, { webhookId: drained, limit: 1000 })).toBe(6)
  expect(await drainWebhook(pool, { webhookId: drained, limit: 1000 })).toBe(0)
})

test('cancelling a replay reads no other waiting delivery of its webhook, also with statistics of a time before it', async () => {
  const webhookId = await insertSampleWebhook(admin)
  const replayId = newTypeId('rpl')
  await insert(webhookId, 5_000, 'pending', 60)
  await admin.query('VACUUM ANALYZE deliveries')
  await admin.query(
    `UPDATE deliveries SET replay_id = $2
      WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = $1 ORDER BY "offset" DESC LIMIT 10)`,
    [typeIdToUuid('whk', webhookId), typeIdToUuid('rpl', replayId)],
  )
  const replay = { tenant: 'mine', webhookId, replayId, limit: 1_000 }
  const plan: string[] = []
  await cancelDeliveries(explaining(plan), { ...replay, limit: 4 })
  expect(plan.filter((line) => /Rows Removed by Filter: \d{3,}/.test(line))).toEqual([])
  expect(plan.join('\n')).toContain('_deliveries_replay')
  expect(await cancelDeliveries(pool, replay)).toBe(6)
  expect(await cancelDeliveries(pool, replay)).toBe(0)
})
