import { randomUUID } from 'node:crypto'
import { createTestDatabase, insertSampleWebhook, untilBlocking } from '@ariftly/testkit'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { withTransaction } from '@ariftly/store'
import { addWebhookStats, type StatsBatch } from './add-webhook-stats.ts'
import { deleteExpiredStatsWriters, readWebhookStats } from '@ariftly/store/stats'

const AT_MS = Date.parse('2026-01-01T10:00:00Z')

const database = await createTestDatabase()
const pool = database.openPool()
let webhookId: string

afterAll(() => database.drop())
beforeEach(async () => {
  webhookId = await insertSampleWebhook(pool)
})

/** A batch of a worker that has made so many attempts. */
function batchOf(workerId: string, number: number, attempts: number): StatsBatch {
  const figures = { delivered: attempts, failed: 0, attempts, errors: [], latencies: [0, attempts] }
  return { workerId, number, figures: [{ webhookId, stepS: 60, atMs: AT_MS, ...figures }] }
}

async function kept() {
  const rows = await readWebhookStats(pool, { tenant: 'mine', webhookId, stepS: 60, fromMs: AT_MS })
  return rows.map(({ attempts, delivered, latencies }) => ({ attempts, delivered, latencies }))
}

test('a batch that is sent again is added once, and batches of other workers and later ones are added', async () => {
  const [one, other] = [randomUUID(), randomUUID()]
  const batches = [
    batchOf(one, 1, 1),
    batchOf(one, 1, 1),
    batchOf(other, 1, 10),
    batchOf(one, 2, 100),
    batchOf(one, 2, 100),
  ]
  for (const batch of batches) await addWebhookStats(pool, batch)
  expect(await kept()).toEqual([{ attempts: 111, delivered: 111, latencies: [0, 111] }])
})

test.each(['committed', 'rolled back'])(
  'a batch that is sent again waits for its first sending, which is %s',
  async (end) => {
    const batch = batchOf(randomUUID(), 1, 5)
    let again = Promise.resolve()
    const first = withTransaction(pool, async (tx) => {
      await addWebhookStats(tx, batch)
      again = addWebhookStats(pool, batch)
      await untilBlocking(tx)
      if (end === 'rolled back') throw new Error(end)
    })
    await Promise.allSettled([first])
    await again
    expect(await kept()).toEqual([{ attempts: 5, delivered: 5, latencies: [0, 5] }])
  },
)

test('workers that have added nothing for 8 days are forgotten, and no others', async () => {
  const [old, recent] = [randomUUID(), randomUUID()]
  for (const worker of [old, recent]) await addWebhookStats(pool, batchOf(worker, 1, 1))
  await pool.query(
    `UPDATE webhook_stats_writers SET written_at = now() - CASE worker_id WHEN $1 THEN interval '193 hours' ELSE interval '190 hours' END`,
    [old],
  )
  expect(await deleteExpiredStatsWriters(pool)).toBe(1)
  const { rows } = await pool.query('SELECT FROM webhook_stats_writers WHERE worker_id = $1', [recent])
  expect(rows).toHaveLength(1)
})
