import { randomUUID } from 'node:crypto'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { callFunction, withTransaction } from '@ariftly/store'
import { createTestDatabase, insertSampleWebhook, untilBlocking } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { addWebhookStats } from './add-webhook-stats.ts'
import { keepSuccessAnswers } from './keep-success-answers.ts'
import { recordOutcomes } from './record-outcomes.ts'
import { deliveredOutcome, FAILING } from './test-outcome.ts'

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

const begin = (tenant: string) => pool.query(`INSERT INTO tenants (id, state) VALUES ($1, 'deleting')`, [tenant])

test('a webhook that the deletion of its tenant has not marked yet gets no answers and no figures', async () => {
  const webhookId = await insertSampleWebhook(pool, { tenant: 'unmarked' })
  await begin('unmarked')
  const answer = { webhookId, deliveryId: newTypeId('dlv'), attempt: 1, responseHeaders: null, responseBody: null }
  await keepSuccessAnswers(pool, [answer])
  const counts = { delivered: 1, failed: 0, attempts: 1, errors: [], latencies: [1] }
  const figures = { webhookId, stepS: 60, atMs: Date.now(), ...counts } as const
  await addWebhookStats(pool, { workerId: randomUUID(), number: 1, figures: [figures] })
  const { rows } = await pool.query(
    'SELECT (SELECT count(*) FROM success_answers) AS answers, (SELECT count(*) FROM webhook_stats) AS figures',
  )
  expect(rows).toEqual([{ answers: 0, figures: 0 }])
})

test('an attempt that is recorded while a slice of the deletion deletes its delivery goes with it', async () => {
  const tenant = 'recording'
  const webhookId = await insertSampleWebhook(pool, { tenant })
  const deliveryId = newTypeId('dlv')
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until)
     VALUES ($1, $2, $3, $1, 'task.created', 1, 0, 0, 'queued', now() + interval '1 min')`,
    [typeIdToUuid('dlv', deliveryId), tenant, typeIdToUuid('whk', webhookId)],
  )
  const outcome = deliveredOutcome({ deliveryId, attempt: 1, tenant, webhookId })
  const slice = () => callFunction(pool, 'delete_tenant_rows', [tenant, 100, false])
  let deleting: Promise<number> | undefined
  await withTransaction(pool, async (tx) => {
    expect(await recordOutcomes(tx, { outcomes: [outcome], failing: FAILING })).toMatchObject({ applied: 1 })
    await begin(tenant)
    // The webhook.
    expect(await slice()).toBe(1)
    deleting = slice()
    await untilBlocking(tx)
  })
  expect(await deleting).toBe(2)
  const { rowCount } = await pool.query('SELECT FROM attempts WHERE tenant_id = $1', [tenant])
  expect(rowCount).toBe(0)
})
