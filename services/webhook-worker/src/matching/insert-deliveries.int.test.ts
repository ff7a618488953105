import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase, insertEvents, sampleRow } from '@ariftly/testkit'
import { ensurePositions, readPositions, openEpoch } from '@ariftly/store/projection'
import { withTransaction } from '@ariftly/store'
import { advanceWithDeliveries, type PassedPart } from './insert-deliveries.ts'
import { advanceMatchBacklog, lockNextMatchBacklog } from './match-backlog.ts'
import { readWebhooksVersion } from './read-subscriptions.ts'

const tenant = 'tenant'
const webhookId = newTypeId('whk')
const database = await createTestDatabase()
const pool = database.openPool()

beforeAll(async () => {
  await openEpoch(database.openPool({ owner: true }), {
    topic: 'ariftly.events.v1',
    clusterId: 'test',
    topicId: 'test',
  })
})
afterAll(() => database.drop())

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
  const events = [...starts.keys()].map((partition) => sampleRow({ tenant, partition, offset: 4, appendedAtMs }))
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

test('writes neither deliveries nor backlogs of a tenant that is being deleted', async () => {
  const key = { epoch: 1, topic: 'ariftly.events.v1' }
  await ensurePositions(pool, { ...key, projection: 'webhooks', starts: new Map([[7, 0]]) })
  await ensurePositions(pool, { ...key, projection: 'events', starts: new Map([[7, 10]]) })
  const appendedAtMs = Date.now()
  const events = ['stays', 'goes'].map((of, offset) => sampleRow({ tenant: of, partition: 7, offset, appendedAtMs }))
  await withTransaction(pool, async (tx) => insertEvents(tx, events))
  await pool.query(`INSERT INTO tenants (id, state) VALUES ('goes', 'deleting'), ('goes-too', 'deleting')`)
  const matches = events.map(({ id, tenant: of, offset }) => {
    return { tenant: of, webhookIds: [webhookId], eventId: id, offset, appendedAtMs, traceparent: null }
  })
  const deferred = new Map([
    ['goes-too', 2],
    ['waits', 3],
  ])
  const advance = { expected: 0, next: 5, lastOffset: null, lastId: null }
  const part = { partition: 7, matches, advance, webhooksVersion: undefined, deferred }
  expect(await advanceWithDeliveries(pool, { ...key, projection: 'webhooks', parts: [part] })).toEqual([
    { type: 'written', deliveries: 1, opened: ['waits'] },
  ])
  const { rows } = await pool.query('SELECT tenant_id FROM deliveries WHERE partition = 7')
  expect(rows).toEqual([{ tenant_id: 'stays' }])
})

test('a backlog grows with each part that is added, and another one begins while a worker has locked it', async () => {
  const key = { epoch: 1, topic: 'ariftly.events.v1' }
  const [partition, tenants] = [6, ['loud', 'louder']]
  await ensurePositions(pool, { ...key, projection: 'webhooks', starts: new Map([[partition, 0]]) })
  await ensurePositions(pool, { ...key, projection: 'events', starts: new Map([[partition, 1000]]) })
  let expected = 0
  const pass = async (): Promise<void> => {
    const advance = { expected, next: expected + 10, lastOffset: null, lastId: null }
    const deferred = new Map(tenants.map((of, index) => [of, expected + index]))
    const part = { partition, matches: [], advance, webhooksVersion: undefined, deferred }
    const written = await advanceWithDeliveries(pool, { ...key, projection: 'webhooks', parts: [part] })
    expect(written).toEqual([{ type: 'written', deliveries: 0, opened: expected === 0 ? tenants : [] }])
    expected += 10
  }
  const spans = async (): Promise<readonly string[]> => {
    const { rows } = await pool.query<{ tenant_id: string; next_offset: number; end_offset: number }>(
      'SELECT * FROM match_backlogs WHERE partition = $1 ORDER BY tenant_id, first_offset',
      [partition],
    )
    return rows.map((row) => `${row.tenant_id} ${row.next_offset}-${row.end_offset}`)
  }
  for (let part = 0; part < 5; part += 1) await pass()
  expect(await spans()).toEqual(['loud 0-50', 'louder 1-50'])
  await pool.query(`UPDATE match_backlogs SET updated_at = now() - interval '1 h' WHERE tenant_id = 'loud'`)
  await withTransaction(pool, async (tx) => {
    const held = await lockNextMatchBacklog(tx, key)
    expect(held).toMatchObject({ tenant: 'loud', endOffset: 50 })
    await pass()
    await pass()
    if (held !== undefined) await advanceMatchBacklog(tx, held, 20)
  })
  expect(await spans()).toEqual(['loud 20-50', 'loud 50-70', 'louder 1-70'])
  await pass()
  expect(await spans()).toEqual(['loud 20-50', 'loud 50-80', 'louder 1-80'])
})
