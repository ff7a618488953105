import { randomUUID } from 'node:crypto'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook, type TestDatabase } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { lockEndpoints } from './queueing/lock-endpoints.ts'
import { lockNextMatchBacklog } from './matching/match-backlog.ts'
import { beatWorker, listDeadWorkers } from './repairing/worker-heartbeat.ts'
import { type Pool, withTransaction } from '@ariftly/store'
import { anyRedeliveryDue, lockNextRedelivery } from './replaying/lock-next-redelivery.ts'
import { lockNextReplay } from './replaying/lock-next-replay.ts'

let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = database.openPool()
})
afterAll(async () => {
  await database?.drop()
})

describe('once the clock of Postgres was set back by an hour', () => {
  test('a failing endpoint is probed immediately, and one whose wait is not over is not', async () => {
    const webhookIds = [await insertSampleWebhook(pool), await insertSampleWebhook(pool)]
    for (const [index, inS] of [3_600, 50].entries()) {
      await pool.query(
        `UPDATE webhook_endpoints SET next_probe_at = now() + $2 * interval '1 s', probe_delay_ms = 60000 WHERE webhook_id = $1`,
        [typeIdToUuid('whk', webhookIds[index] ?? ''), inS],
      )
    }
    const locked = await withTransaction(pool, (tx) => lockEndpoints(tx, { webhookIds }))
    const gates = new Map(locked.map(({ webhookId, gate }) => [webhookId, gate]))
    expect(webhookIds.map((id) => gates.get(id))).toEqual(['probe_due', 'shut'])
  })

  test('a worker that has died meanwhile is found as soon as after any other death', async () => {
    const [dead, alive] = [randomUUID(), randomUUID()]
    for (const id of [dead, alive]) {
      await beatWorker(pool, { id })
      await pool.query(`UPDATE webhook_workers SET beat_at = now() + interval '1 h' WHERE id = $1`, [id])
    }
    expect(await listDeadWorkers(pool, { deadMs: 60_000 })).toEqual([])
    await pool.query(`UPDATE webhook_workers SET beat_at = beat_at - interval '61 s' WHERE id = $1`, [dead])
    await beatWorker(pool, { id: alive })
    expect(await listDeadWorkers(pool, { deadMs: 60_000 })).toEqual([dead])
  })

  test('match backlogs are still worked off tenant by tenant', async () => {
    await database
      .openPool({ owner: true })
      .query(
        `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (7, 'turns', 'test', 'test') ON CONFLICT DO NOTHING`,
      )
    await pool.query(
      `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', 7, 'turns', 0, 100)`,
    )
    for (const [tenant, first, ageS] of [
      ['a', 0, -3_600],
      ['a', 10, 5],
      ['b', 20, 10],
    ] as const) {
      await pool.query(
        `INSERT INTO match_backlogs (epoch, partition, tenant_id, first_offset, next_offset, end_offset, updated_at)
         VALUES (7, 0, $1, $2::int, $2::int, $2::int + 5, now() - $3 * interval '1 s')`,
        [tenant, first, ageS],
      )
    }
    const next = () => withTransaction(pool, async (tx) => (await lockNextMatchBacklog(tx, { topic: 'turns' }))?.tenant)
    // `a` had its last turn 5 s ago, by the new clock.
    expect(await next()).toBe('b')
    await pool.query(`UPDATE match_backlogs SET updated_at = now() WHERE tenant_id = 'b'`)
    expect(await next()).toBe('a')
  })

  test('replays are still worked off tenant by tenant', async () => {
    for (const [tenant, ageS] of [
      ['early', 10],
      ['ahead', -3_600],
    ] as const) {
      const webhookId = await insertSampleWebhook(pool, { tenant })
      await pool.query(
        `INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run, updated_at)
         VALUES ($1, $2, $3, now() - interval '1 h', now(), true, now() - $4 * interval '1 s')`,
        [typeIdToUuid('rpl', newTypeId('rpl')), tenant, typeIdToUuid('whk', webhookId), ageS],
      )
    }
    const next = () => withTransaction(pool, async (tx) => (await lockNextReplay(tx, { waitingMax: 10 }))?.tenant)
    expect(await next()).toBe('ahead')
    await pool.query(`UPDATE webhook_replays SET updated_at = now() WHERE tenant_id = 'ahead'`)
    expect(await next()).toBe('early')
  })

  test('the next slice of a redelivery is due', async () => {
    await pool.query(
      `INSERT INTO redeliveries (id, tenant_id, filter, dry_run, updated_at, due_at)
       VALUES ($1, 'redelivers', '{}', false, now() + interval '1 h', now() + interval '1 h')`,
      [typeIdToUuid('rdl', newTypeId('rdl'))],
    )
    expect(await anyRedeliveryDue(pool)).toBe(true)
    const locked = await withTransaction(pool, (tx) => lockNextRedelivery(tx))
    expect(locked?.tenant).toBe('redelivers')
  })
})
