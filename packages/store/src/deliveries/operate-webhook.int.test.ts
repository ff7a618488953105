import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { Queryable } from '../queryable.ts'
import { cancelDeliveries } from './deliveries.ts'
import { drainWebhook, probeSoon } from './operate-webhook.ts'

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

/** The redeliveries that make deliveries of a webhook due. */
async function drainsOf(webhookId: string): Promise<readonly { readonly state: string; readonly begins: boolean }[]> {
  const { rows } = await admin.query<{ state: string; begins: boolean }>(
    'SELECT state, cursor_id IS NULL AND scanned_count = 0 AS begins FROM redeliveries WHERE drained_webhook_id = $1',
    [typeIdToUuid('whk', webhookId)],
  )
  return rows
}

describe('draining a webhook', () => {
  test('asks for one redelivery of it, which begins again, and for none when nothing is due later', async () => {
    const webhookId = await insertSampleWebhook(admin)
    await insert(webhookId, 3, 'pending', -1)
    await insert(webhookId, 3, 'delivered', 0)
    await drainWebhook(pool, { webhookId })
    expect(await drainsOf(webhookId)).toEqual([])
    await insert(webhookId, 1, 'pending', 60)
    for (const change of ["state = 'completed', finished_at = now()", "state = 'running'"]) {
      await drainWebhook(pool, { webhookId })
      expect(await drainsOf(webhookId)).toEqual([{ state: 'running', begins: true }])
      await admin.query(`UPDATE redeliveries SET ${change}, cursor_id = id, scanned_count = 5`)
    }
    await drainWebhook(pool, { webhookId })
    expect(await drainsOf(webhookId)).toEqual([{ state: 'running', begins: true }])
  })

  test('follows another URL, enabling, and the first success of a failing endpoint, and no other change', async () => {
    const webhookId = await insertSampleWebhook(admin)
    const uuid = typeIdToUuid('whk', webhookId)
    await insert(webhookId, 1, 'pending', 60)
    await admin.query('UPDATE webhook_endpoints SET next_probe_at = now(), probe_delay_ms = 1 WHERE webhook_id = $1', [
      uuid,
    ])
    for (const [change, begins] of [
      [`UPDATE webhooks SET description = 'x', events = '{task.*}', url = url WHERE id = $1`, false],
      [`UPDATE webhooks SET enabled = true WHERE id = $1`, false],
      [`UPDATE webhooks SET url = 'https://other.example/' WHERE id = $1`, true],
      [`UPDATE webhooks SET enabled = false, disabled_reason = 'manual' WHERE id = $1`, false],
      [`UPDATE webhooks SET enabled = true, disabled_reason = NULL WHERE id = $1`, true],
      [`UPDATE webhook_endpoints SET next_probe_at = now() + interval '1 h' WHERE webhook_id = $1`, false],
      [`UPDATE webhook_endpoints SET next_probe_at = NULL WHERE webhook_id = $1`, true],
      [`UPDATE webhook_endpoints SET next_probe_at = NULL WHERE webhook_id = $1`, false],
      [`UPDATE webhooks SET deleted_at = now(), url = '' WHERE id = $1`, false],
    ] as const) {
      await admin.query('DELETE FROM redeliveries')
      await admin.query(change, [uuid])
      expect([change, await drainsOf(webhookId)]).toEqual([change, begins ? [{ state: 'running', begins }] : []])
    }
  })

  test.each([
    ['120 s after the last probe at once', 180, 300, 0],
    ['3 s after the last probe in 7 s', 297, 300, 7],
    ['in 4 s if that is planned', 4, 300, 4],
    ['in 10 s if that is planned, which may have been asked for', 10, 300, 10],
    ['as planned before the first wait is over', 8, 10, 8],
    ['at the same time as before when that was planned before the clock was set back', 3_000, 300, 3_000],
  ])('probes a failing endpoint %s', async (_, inS, delayS, expectedInS) => {
    const webhookId = await insertSampleWebhook(admin)
    const uuid = typeIdToUuid('whk', webhookId)
    for (const ask of [
      () => drainWebhook(pool, { webhookId }),
      () => probeSoon(pool, { webhookIds: [webhookId] }),
      () => probeSoon(pool, { webhookIds: [webhookId], skipLocked: true }),
    ]) {
      expect(await drainWebhook(pool, { webhookId })).toBe(false)
      await admin.query(
        `UPDATE webhook_endpoints SET next_probe_at = now() + $2 * interval '1 s', probe_delay_ms = $3 WHERE webhook_id = $1`,
        [uuid, inS, delayS * 1000],
      )
      await ask()
      // A second time changes nothing.
      await ask()
      const { rows } = await admin.query<{ in_s: number }>(
        'SELECT extract(epoch FROM next_probe_at - now())::float8 AS in_s FROM webhook_endpoints WHERE webhook_id = $1',
        [uuid],
      )
      expect(rows[0]?.in_s).toBeLessThanOrEqual(expectedInS)
      expect(rows[0]?.in_s).toBeGreaterThan(expectedInS - 5)
      expect(await drainWebhook(pool, { webhookId })).toBe(true)
      await admin.query('UPDATE webhook_endpoints SET next_probe_at = NULL WHERE webhook_id = $1', [uuid])
    }
  })
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

test('an attempt that has begun is not cancelled', async () => {
  const webhookId = await insertSampleWebhook(admin)
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until, started_attempt)
     SELECT overlay(uuid_v7_floor($2)::text PLACING substr(gen_random_uuid()::text, 20) FROM 20)::uuid, 'mine', $1, gen_random_uuid(),
            'task.created', 1, 0, n, 'queued', now() + interval '1 min', n
       FROM generate_series(0, 1) n`,
    [typeIdToUuid('whk', webhookId), Date.now()],
  )
  expect(await cancelDeliveries(pool, { tenant: 'mine', webhookId, limit: 100 })).toBe(1)
  const { rows } = await admin.query('SELECT state FROM deliveries WHERE webhook_id = $1 ORDER BY "offset"', [
    typeIdToUuid('whk', webhookId),
  ])
  expect(rows).toEqual([{ state: 'cancelled' }, { state: 'queued' }])
})
