import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId } from '@ariftly/events'
import { createTestDatabase, type TestDatabase } from '@ariftly/testkit'
import { createPool, type Pool } from '../pool.ts'
import { ensurePositions } from '../projection/ensure-positions.ts'
import { insertEvents } from '../projection/insert-events.ts'
import { openEpoch } from '../projection/open-epoch.ts'
import { readPositions } from '../projection/read-positions.ts'
import { withTransaction } from '../with-transaction.ts'
import { advanceWithDeliveries, type PassedPart } from './insert-deliveries.ts'
import { readWebhooksVersion } from './read-webhooks-version.ts'

const tenant = 'tenant'
const webhookId = newTypeId('whk')
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  const admin = createPool({ role: null, url: database.adminUrl, applicationName: 'test', max: 1 })
  await openEpoch(admin, { topic: 'ariftly.events.v1', clusterId: 'test' })
  await admin.end()
  pool = createPool({ role: null, url: database.url, applicationName: 'test', max: 2 })
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

test('writes parts of several partitions in one statement, each with a result of its own', async () => {
  const key = { epoch: 1, topic: 'ariftly.events.v1' }
  const starts = new Map([1, 2, 3, 4, 5].map((partition) => [partition, 0]))
  await ensurePositions(pool, { ...key, projection: 'webhooks', starts })
  await ensurePositions(pool, {
    ...key,
    projection: 'events',
    starts: new Map([...starts].map(([at]) => [at, at === 3 ? 0 : 10])),
  })
  const appendedAtMs = Date.now()
  const eventOf = { type: 'task.progress' as const, taskId: 'task', sessionId: null, agent: null, traceparent: null }
  const events = [...starts.keys()].map((partition) => {
    const id = newEventId(appendedAtMs)
    return { ...eventOf, tenant, id, data: Buffer.from('{}'), epoch: 1, partition, offset: 4, appendedAtMs }
  })
  await withTransaction(pool, async (tx) => insertEvents(tx, events))
  const webhooksVersion = await readWebhooksVersion(pool)
  const parts = events.map(({ id, partition }): PassedPart => {
    const advance = { expected: 0, next: 5, lastOffset: 4, lastId: id }
    return {
      partition,
      matches: [{ tenant, webhookIds: [webhookId], eventId: id, offset: 4, appendedAtMs, traceparent: null }],
      advance,
      webhooksVersion,
      deferred: new Map(),
    }
  })
  const changed = parts.map((part): PassedPart => {
    if (part.partition === 1) return { ...part, webhooksVersion: webhooksVersion - 1 }
    if (part.partition === 2) return { ...part, advance: { ...part.advance, expected: 1 } }
    return part.partition === 4 ? { ...part, matches: [], deferred: new Map([[tenant, 4]]) } : part
  })
  const written = await advanceWithDeliveries(pool, { ...key, projection: 'webhooks', parts: changed.toReversed() })
  expect(written.toReversed()).toEqual([
    { type: 'webhooks_changed' },
    { type: 'moved' },
    { type: 'not_projected' },
    { type: 'written', deliveries: 0, opened: [tenant] },
    { type: 'written', deliveries: 1, opened: [] },
  ])
  const positions = await readPositions(pool, { ...key, projection: 'webhooks', partitions: [1, 2, 3, 4, 5] })
  expect([...positions.values()].map(({ nextOffset }) => nextOffset)).toEqual([0, 0, 0, 5, 5])
  const behind = parts
    .filter(({ partition }) => partition >= 4)
    .map((part) => ({ ...part, advance: { ...part.advance, expected: 5, next: 6 } }))
  expect(await advanceWithDeliveries(pool, { ...key, projection: 'webhooks', parts: behind })).toEqual([
    { type: 'backlogged', tenants: [tenant] },
    { type: 'written', deliveries: 0, opened: [] },
  ])
  const { rows } = await pool.query('SELECT partition, state FROM deliveries')
  expect(rows).toEqual([{ partition: 5, state: 'pending' }])
})
