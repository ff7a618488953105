import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createPool, SERVICE_ROLE, withTransaction, type Pool } from '@ariftly/store'
import { createTestDatabase, eventually, insertSampleWebhook, type TestDatabase } from '@ariftly/testkit'
import { addJobs } from './queue-transaction.ts'

const ENDPOINT = {
  tenant: 'mine',
  ordering: 'none',
  tokens: null,
  nextTokenMs: 0,
  consecutiveFailures: 0,
  lastAttemptMs: null,
} as const

let database: TestDatabase
let admin: Pool
let scheduling: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  admin = createPool({ role: null, url: database.adminUrl, applicationName: 'test', max: 2 })
  const short = { statementTimeoutMs: 200, role: SERVICE_ROLE }
  scheduling = createPool({ url: database.url, applicationName: 'test-scheduling', max: 2, ...short })
})
afterAll(async () => {
  await Promise.all([admin?.end(), scheduling?.end()])
  await database?.drop()
})

/** A queued delivery without a job. */
async function queueDelivery(): Promise<{ readonly webhookId: string; readonly deliveryId: string }> {
  const webhookId = await insertSampleWebhook(admin)
  const deliveryId = newTypeId('dlv')
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until)
     VALUES ($1, 'mine', $2, $1, 'task.created', 1, 0, 0, 'queued', now() + interval '10 min')`,
    [typeIdToUuid('dlv', deliveryId), typeIdToUuid('whk', webhookId)],
  )
  return { webhookId, deliveryId }
}

async function stateOf(deliveryId: string): Promise<string | undefined> {
  const { rows } = await admin.query<{ state: string }>('SELECT state FROM deliveries WHERE id = $1', [
    typeIdToUuid('dlv', deliveryId),
  ])
  return rows[0]?.state
}

test('what could not be added to the queue is pending again, also when Postgres takes that only later', async () => {
  const { webhookId, deliveryId } = await queueDelivery()
  const ending = new AbortController()
  const said: string[] = []
  const adding = () =>
    addJobs(
      {
        pool: scheduling,
        enqueue: () => Promise.reject(new Error('Redis is unavailable')),
        onQueued: () => {},
        signal: ending.signal,
        log: { warn: (_: unknown, text?: string) => void said.push(text ?? '') },
      },
      [{ ...ENDPOINT, webhookId, gate: 'open' }],
      [{ deliveryId, webhookId, attempt: 1 }],
    )
  await withTransaction(admin, async (tx) => {
    await tx.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [typeIdToUuid('dlv', deliveryId)])
    await expect(adding()).rejects.toThrow('Redis is unavailable')
  })
  expect(said).toEqual(['deliveries without a job cannot be made pending yet'])
  await eventually('the delivery is pending', async () => (await stateOf(deliveryId)) === 'pending')
  ending.abort()
})
