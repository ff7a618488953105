import { randomUUID } from 'node:crypto'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { advancePositions } from '../projection/advance-positions.ts'
import { ensurePositions } from '../projection/positions.ts'
import { openEpoch } from '../projection/log-epochs.ts'
import { recordLogTimes } from '../projection/log-times.ts'
import type { Queryable } from '../queryable.ts'
import { Replica } from '../replicas.ts'
import { findLargestBacklogs } from './find-largest-backlogs.ts'
import { listProcesses } from './list-processes.ts'
import { readLogProgress } from './read-log-progress.ts'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
const pool = database.openPool({ max: 1 })

afterAll(() => database.drop())

/** Runs what is asked for as it is explained, without scans of whole tables where there is another way; collects the lines of the plans. */
function explaining(plan: string[]): Queryable {
  async function query(text: string, values: unknown[] = []) {
    await pool.query('SET enable_seqscan = off')
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ${text}`,
      values,
    )
    await pool.query('RESET enable_seqscan')
    plan.push(...rows.map((row) => row['QUERY PLAN']))
    return await pool.query(text, values)
  }
  return { query }
}

/** The indexes that a plan names; those of partitions by that of their table. */
async function indexesOf(read: (db: Queryable) => Promise<unknown>): Promise<readonly string[]> {
  const plan: string[] = []
  await read(explaining(plan))
  expect(plan.filter((line) => /Seq Scan|Bitmap/.test(line))).toEqual([])
  const names = plan.flatMap((line) => /using (\w+)/.exec(line)?.[1] ?? [])
  return [...new Set(names.map((name) => name.replace(/^deliveries_p\d{8}_/, '')))].toSorted()
}

async function insert(webhookId: string, count: number, state: string, dueInS = 0): Promise<void> {
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state, due_at,
                             lease_until, finished_at)
     SELECT overlay(uuid_v7_floor($2::bigint)::text PLACING substr(gen_random_uuid()::text, 20) FROM 20)::uuid, 'mine', $1,
            gen_random_uuid(), 'task.created', 't', 1, 0, n, $4::text,
            CASE $4 WHEN 'pending' THEN now() + $5::int * interval '1 s' END, CASE $4 WHEN 'queued' THEN now() END,
            CASE $4 WHEN 'delivered' THEN now() END
       FROM generate_series(1, $3::int) AS n`,
    [typeIdToUuid('whk', webhookId), Date.now(), count, state, dueInS],
  )
}

describe('the progress of the log', () => {
  test('is undefined before the first epoch', async () => {
    expect(await readLogProgress(pool)).toBeUndefined()
  })

  test('is that of the newest epoch, by partition, with the times of the log and of the matching', async () => {
    const topic = 'ariftly.events.v1'
    await openEpoch(admin, { topic, clusterId: 'former', topicId: 'test' })
    const { epoch } = await openEpoch(admin, { topic, clusterId: 'test', topicId: 'test' })
    const events = { projection: 'events', epoch, topic }
    expect(await readLogProgress(pool)).toMatchObject({ epoch, topic, partitions: [] })
    const starts = new Map([
      [1, 7],
      [0, 5],
    ])
    await ensurePositions(pool, { ...events, starts })
    await ensurePositions(pool, { ...events, projection: 'webhooks', starts: new Map([[0, 5]]) })
    await ensurePositions(pool, { ...events, epoch: epoch - 1, starts: new Map([[2, 1]]) })
    const appendedAtMs = Date.UTC(2026, 0, 31, 8)
    await advancePositions(pool, {
      ...events,
      advances: [{ partition: 0, expected: 5, next: 9, lastOffset: null, lastId: null }],
    })
    await recordLogTimes(pool, {
      epoch,
      times: [
        { partition: 0, offset: 5, appendedAtMs: appendedAtMs - 5_000 },
        { partition: 0, offset: 8, appendedAtMs },
      ],
    })
    const progress = await readLogProgress(pool)
    expect(progress?.partitions).toEqual([
      {
        partition: 0,
        nextOffset: 9,
        projectedAtMs: expect.any(Number),
        appendedAtMs,
        matchedOffset: 5,
        matchedAtMs: expect.any(Number),
      },
      {
        partition: 1,
        nextOffset: 7,
        projectedAtMs: expect.any(Number),
        appendedAtMs: null,
        matchedOffset: null,
        matchedAtMs: null,
      },
    ])
    expect(await indexesOf(readLogProgress)).toEqual([
      'log_epochs_pkey',
      'log_times_appended_at',
      'projection_offsets_pkey',
    ])
  })
})

test('lists the processes that registered themselves', async () => {
  const gateway = new Replica(pool, 'stream-gateway')
  const ingest = new Replica(pool, 'ingest')
  const worker = randomUUID()
  await Promise.all([gateway.renew(), ingest.renew()])
  await pool.query('INSERT INTO webhook_workers (id) VALUES ($1)', [worker])
  const processes = await listProcesses(pool)
  expect(processes.map(({ service, id }) => [service, id])).toEqual([
    ['ingest', ingest.id],
    ['stream-gateway', gateway.id],
    ['webhook-worker', worker],
  ])
  for (const { seenAtMs } of processes) expect(Math.abs(Date.now() - seenAtMs)).toBeLessThan(60_000)
  expect(await indexesOf(listProcesses)).toEqual(['service_replicas_pkey', 'webhook_workers_pkey'])
})

describe('backlogs', () => {
  let webhooks: readonly string[]

  beforeAll(async () => {
    expect(await findLargestBacklogs(pool, { limit: 50 })).toMatchObject({
      pendingCount: 0,
      dueCount: 0,
      isComplete: true,
      largest: [],
    })
    webhooks = [1, 2, 3].map((seconds) => newTypeId('whk', Date.now() + seconds * 1_000))
    for (const id of webhooks) await insertSampleWebhook(admin, { id })
    const [first = '', second = '', third = ''] = webhooks
    await insert(first, 20_000, 'delivered')
    await admin.query('VACUUM ANALYZE deliveries')
    await insert(first, 3, 'pending', -5)
    await insert(first, 2, 'pending', 600)
    await insert(second, 12_000, 'pending', 600)
    await insert(third, 1, 'queued')
  })

  test('are counted with what is due, the largest first, each up to 10,000', async () => {
    const { pendingCount, dueCount, isComplete, largest } = await findLargestBacklogs(pool, { limit: 50 })
    expect({ pendingCount, dueCount, isComplete }).toEqual({ pendingCount: 10_006, dueCount: 3, isComplete: false })
    expect(largest.map((one) => [webhooks.indexOf(one.webhookId), one.pendingCount, one.dueCount])).toEqual([
      [1, 10_000, 0],
      [0, 5, 3],
      [2, 1, 0],
    ])
    expect(largest[0]).toMatchObject({ enabled: true, disabledReason: null, failingSinceMs: null })
    expect(largest[0]?.oldestPendingAtMs).toEqual(expect.any(Number))
    expect((await findLargestBacklogs(pool, { limit: 1 })).largest).toHaveLength(1)
  })

  test.each([
    ['webhooks', { webhooksMax: 1 }],
    ['deliveries', { countedMax: 5 }],
  ])('are counted no further than so many %s, which is said', async (_name, bound) => {
    const { pendingCount, isComplete, largest } = await findLargestBacklogs(pool, { limit: 50, ...bound })
    expect([pendingCount, isComplete, largest.length]).toEqual([5, false, 1])
  })

  test('are all counted where no bound is met', async () => {
    await admin.query(`DELETE FROM deliveries WHERE webhook_id = $1`, [typeIdToUuid('whk', webhooks[1] ?? '')])
    const { pendingCount, dueCount, isComplete } = await findLargestBacklogs(pool, { limit: 50 })
    expect({ pendingCount, dueCount, isComplete }).toEqual({ pendingCount: 6, dueCount: 3, isComplete: true })
  })

  test('are found in the indexes of unfinished deliveries, also with statistics of a time without them', async () => {
    const indexes = await indexesOf((db) => findLargestBacklogs(db, { limit: 50 }))
    const unfinished = ['deliveries_due', 'deliveries_ordering', 'deliveries_unfinished']
    const used = indexes.filter((name) => name.startsWith('deliveries'))
    expect(used.filter((name) => !unfinished.includes(name))).toEqual([])
    expect(used).toEqual(expect.arrayContaining(['deliveries_due', 'deliveries_unfinished']))
  })
})
