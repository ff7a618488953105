import { randomUUID } from 'node:crypto'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { withTransaction } from '@ariftly/store'
import { claimQueue } from '../repairing/claim-queue.ts'
import { recordOutcomes } from '../settling/record-outcomes.ts'
import { releaseQueued } from '../repairing/release-deliveries.ts'
import { startAttempts } from './start-attempts.ts'
import { deliveredOutcome, FAILING } from '../settling/test-outcome.ts'
import { unqueueDeliveries, type AttemptRef } from '../queueing/unqueue-deliveries.ts'

const LEASE_MS = 60_000

const database = await createTestDatabase()
const pool = database.openPool()
let webhookId: string

beforeEach(async () => {
  webhookId = await insertSampleWebhook(pool)
})
afterAll(() => database.drop())

/** Makes queued deliveries. */
async function queue(count: number): Promise<readonly AttemptRef[]> {
  const refs = Array.from({ length: count }, () => ({ deliveryId: newTypeId('dlv'), attempt: 1 }))
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until)
     SELECT id, 'mine', $2, id, 'task.created', 1, 0, 0, 'queued', now() + interval '1 min' FROM unnest($1::uuid[]) id`,
    [refs.map(({ deliveryId }) => typeIdToUuid('dlv', deliveryId)), typeIdToUuid('whk', webhookId)],
  )
  return refs
}

const start = (refs: readonly AttemptRef[]) => startAttempts(pool, { refs, leaseMs: LEASE_MS, workerId: null })

/** Records a success. */
async function record(ref: AttemptRef) {
  const outcome = deliveredOutcome({ ...ref, tenant: 'mine', webhookId })
  return await recordOutcomes(pool, { outcomes: [outcome], failing: FAILING })
}

async function rows() {
  const { rows: found } = await pool.query<Record<string, unknown>>('SELECT * FROM deliveries WHERE webhook_id = $1', [
    typeIdToUuid('whk', webhookId),
  ])
  return found
}
async function states(): Promise<readonly string[]> {
  const shown = (await rows()).map((row) => (isBegun(row) ? 'begun' : String(row['state'])))
  return shown.toSorted()
}

function isBegun(row: Readonly<Record<string, unknown>>): boolean {
  return row['state'] === 'queued' && row['started_attempt'] === row['attempt']
}

describe('an attempt that has begun', () => {
  test('a start changes no column that an index reads', async () => {
    const { rows: read } = await pool.query<{ name: string }>(
      `SELECT DISTINCT a.attname AS name
         FROM pg_depend d
         JOIN pg_index i ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
         JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.refobjid = 'deliveries'::regclass AND i.indrelid = 'deliveries'::regclass`,
    )
    const names = read.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['id', 'state', 'due_at']))
    const refs = await queue(1)
    const [before = {}] = await rows()
    await startAttempts(pool, { refs, leaseMs: LEASE_MS, workerId: randomUUID() })
    const [after = {}] = await rows()
    const changed = Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]))
    expect(changed.toSorted()).toEqual(['lease_until', 'started_attempt', 'worker_id'])
    expect(changed.filter((name) => names.includes(name))).toEqual([])
  })

  test('what has begun is not taken back', async () => {
    const refs = await queue(2)
    const [begun] = refs
    if (begun === undefined) throw new Error('nothing was queued')
    await start([begun])
    expect(await unqueueDeliveries(pool, refs)).toBe(1)
    expect(await states()).toEqual(['begun', 'pending'])
    expect(await record(begun)).toMatchObject({ applied: 1 })
  })

  test('what is queued is due again, once, when the queue is seen to be another one', async () => {
    const [one] = await queue(2)
    if (one === undefined) throw new Error('nothing was queued')
    await start([one])
    const seen = { marker: randomUUID(), runId: 'a' }
    const claim = async () => await withTransaction(pool, async (tx) => await claimQueue(tx, seen))
    expect((await Promise.all([claim(), claim(), claim()])).filter((first) => first)).toHaveLength(1)
    expect(await claim()).toBe(false)
    expect((await releaseQueued(pool, { limit: 1000, workerId: undefined })).get(webhookId)).toBe(1)
    expect(await states()).toEqual(['begun', 'pending'])
  })
})
