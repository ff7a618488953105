import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook, untilBlocking, type TestDatabase } from '@ariftly/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type Pool, withTransaction } from '@ariftly/store'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { recordOutcomesAgain } from './record-outcomes-again.ts'
import { recordOutcomes, type RecordedOutcomes } from './record-outcomes.ts'
import { FAILING } from './test-outcome.ts'

let database: TestDatabase
let pool: Pool
let webhookId: string

beforeAll(async () => {
  database = await createTestDatabase()
  pool = database.openPool()
})
beforeEach(async () => {
  webhookId = await insertSampleWebhook(pool)
})
afterAll(async () => {
  await database?.drop()
})

/** A delivery whose first attempt is under way. */
async function startedDelivery(): Promise<string> {
  const id = newTypeId('dlv')
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, started_attempt,
                             lease_until)
     VALUES ($1, 'mine', $2, gen_random_uuid(), 'task.progress', 1, 0, 0, 'queued', 1, now() + interval '1 min')`,
    [typeIdToUuid('dlv', id), typeIdToUuid('whk', webhookId)],
  )
  return id
}

/** How the first attempt of a delivery ended. */
function outcomeOf(deliveryId: string, state: 'pending' | 'failed' | 'delivered'): AttemptOutcome {
  const step = { state, counts: true }
  const isDelivered = state === 'delivered'
  return {
    type: isDelivered ? 'delivered' : 'failed',
    deliveryId,
    attempt: 1,
    tenant: 'mine',
    webhookId,
    endpointVersion: 1,
    first: true,
    probe: false,
    next: { whileOpen: step, whileFailing: step, dueInMs: 1000 },
    record: {
      startedAtMs: Date.now(),
      dnsMs: null,
      connectMs: null,
      tlsMs: null,
      firstByteMs: 3,
      totalMs: 4,
      address: null,
      status: isDelivered ? 200 : 500,
      errorClass: isDelivered ? null : 'http_5xx',
      errorDetail: null,
      responseHeaders: null,
      responseBody: null,
    },
  }
}

/** All that recording changes. */
async function kept() {
  const of = [typeIdToUuid('whk', webhookId)]
  const endpoints = await pool.query('SELECT * FROM webhook_endpoints WHERE webhook_id = $1', of)
  const deliveries = await pool.query('SELECT * FROM deliveries WHERE webhook_id = $1 ORDER BY id', of)
  const attempts = await pool.query('SELECT * FROM attempts WHERE webhook_id = $1 ORDER BY delivery_id', of)
  return { endpoint: endpoints.rows[0] as unknown, deliveries: deliveries.rows, attempts: attempts.rows }
}

test('outcomes that are recorded again change nothing, and are answered as they were', async () => {
  const ids = [await startedDelivery(), await startedDelivery(), await startedDelivery(), await startedDelivery()]
  const [planned = '', last = '', delivered = '', late = ''] = ids
  await pool.query('UPDATE deliveries SET attempt = 2 WHERE id = $1', [typeIdToUuid('dlv', late)])
  const outcomes = [
    outcomeOf(planned, 'pending'),
    outcomeOf(last, 'failed'),
    outcomeOf(delivered, 'delivered'),
    outcomeOf(late, 'pending'),
  ]
  const first = await recordOutcomes(pool, { outcomes, failing: FAILING })
  const before = await kept()
  expect(await recordOutcomesAgain(pool, { outcomes, failing: FAILING })).toEqual(first)
  expect([first.failed, first.stale]).toEqual([new Set([last]), new Set([late])])
  expect(await kept()).toEqual(before)
})

test('records the missing outcomes of a batch of which others are recorded', async () => {
  const [known, fresh] = [await startedDelivery(), await startedDelivery()]
  await recordOutcomes(pool, { outcomes: [outcomeOf(known, 'pending')], failing: FAILING })
  const outcomes = [outcomeOf(known, 'pending'), outcomeOf(fresh, 'pending')]
  expect(await recordOutcomesAgain(pool, { outcomes, failing: FAILING })).toMatchObject({ applied: 2 })
  const { endpoint, attempts } = await kept()
  expect([endpoint, attempts.length]).toMatchObject([{ consecutive_failures: 2 }, 2])
})

test('an outcome that is recorded again waits for the recording that is still under way', async () => {
  const outcomes = [outcomeOf(await startedDelivery(), 'pending')]
  let again: Promise<RecordedOutcomes> | undefined
  await withTransaction(pool, async (tx) => {
    await recordOutcomes(tx, { outcomes, failing: FAILING })
    again = recordOutcomesAgain(pool, { outcomes, failing: FAILING })
    await untilBlocking(tx)
  })
  expect(await again).toMatchObject({ applied: 1 })
  expect(await kept()).toMatchObject({
    endpoint: { consecutive_failures: 1 },
    deliveries: [{ state: 'pending', attempt: 2, attempt_count: 1 }],
  })
})

test('keeps no attempt of a tenant that is being deleted', async () => {
  const outcomes = [outcomeOf(await startedDelivery(), 'failed')]
  await pool.query(`INSERT INTO tenants (id, state) VALUES ('mine', 'deleting')`)
  await recordOutcomes(pool, { outcomes, failing: FAILING })
  expect((await kept()).attempts).toEqual([])
})
