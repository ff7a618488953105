import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, sampleWebhook } from '@ariftly/testkit'
import { cancelDeliveries, getDelivery } from '../deliveries/change-deliveries.ts'
import { findDeliveries } from '../deliveries/find-deliveries.ts'
import { listAttempts } from '../deliveries/list-attempts.ts'
import { withTransaction } from '@ariftly/store'
import {
  backlogOf,
  deleteWebhook,
  getWebhook,
  insertWebhook,
  type NewWebhook,
  PENDING_COUNT_MAX,
  rotateWebhookSecret,
  updateWebhook,
  type WebhookRow,
} from '@ariftly/store/webhooks'
import { listWebhooks } from './list-webhooks.ts'

const database = await createTestDatabase()
const pool = database.openPool({ max: 8 })
let tenant: string
let tenants = 0

beforeEach(() => {
  tenant = `tenant-${++tenants}`
})
afterAll(() => database.drop())

function newWebhook(changes: Partial<NewWebhook> = {}): NewWebhook {
  return sampleWebhook({ tenant, ...changes })
}

async function insertOne(changes: Partial<NewWebhook> = {}): Promise<string> {
  const webhook = newWebhook(changes)
  expect(await insertWebhook(pool, webhook, 100)).toMatchObject({ id: webhook.id })
  return webhook.id
}

/** Pending deliveries, one a second, the newest of now. */
async function insertUnfinished(webhookId: string, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at, created_at)
     SELECT uuid_v7_floor(ms), $1, $2, uuid_v7_floor(ms), 'task.progress', 1, 0, n, now(), to_timestamp(ms / 1000.0)
       FROM (SELECT n, (extract(epoch FROM now()) * 1000)::bigint - n * 1000 AS ms
               FROM generate_series(1, $3::int) AS n) AS seconds`,
    [tenant, typeIdToUuid('whk', webhookId), count],
  )
}

async function version(): Promise<number> {
  const { rows } = await pool.query<{ version: number }>('SELECT version FROM webhooks_version')
  return rows[0]?.version ?? 0
}

/** The webhook after a change. */
async function update(o: Parameters<typeof updateWebhook>[1]): Promise<WebhookRow | undefined> {
  return (await updateWebhook(pool, o))?.webhook
}

describe('webhooks', () => {
  test('are at most so many a tenant, however many are created at the same time', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => withTransaction(pool, (tx) => insertWebhook(tx, newWebhook(), 5))),
    )
    expect(outcomes.filter((outcome) => outcome !== 'too_many')).toHaveLength(5)
    expect((await listWebhooks(pool, { tenant, limit: 50 })).webhooks).toHaveLength(5)
    const [first] = (await listWebhooks(pool, { tenant, limit: 1 })).webhooks
    await deleteWebhook(pool, { tenant, id: first?.id ?? '' })
    expect(await insertWebhook(pool, newWebhook(), 5)).toMatchObject({ tenant })
    const other = `${tenant}-other`
    expect(await insertWebhook(pool, newWebhook({ tenant: other }), 5)).toMatchObject({ tenant: other })
  })

  test('move the version with each change, so that a matcher sees it', async () => {
    const versions = [await version()]
    const id = await insertOne()
    versions.push(await version())
    await update({ tenant, id, changes: { events: ['task.*'] } })
    versions.push(await version())
    await deleteWebhook(pool, { tenant, id })
    versions.push(await version())
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
    expect(versions).toHaveLength(4)
  })

  test.each([['\ud800'], ['\0']])('are changed and deleted with any text in their filter: %j', async (value) => {
    const id = await insertOne({ filter: JSON.stringify({ 'data.word': value }) })
    const versions = [await version()]
    await update({ tenant, id, changes: { description: 'changed' } })
    versions.push(await version())
    const filter = JSON.stringify({ 'data.other': value })
    const changed = await update({ tenant, id, changes: { filter } })
    versions.push(await version())
    expect(changed).toMatchObject({ description: 'changed', filter })
    // Matching reads the filter and not the description.
    expect(versions[1]).toBe(versions[0])
    expect(versions[2]).toBeGreaterThan(versions[1] ?? Infinity)
    expect(await deleteWebhook(pool, { tenant, id })).toBe(true)
  })

  test('are read as they were stored, with the state of their endpoint and no backlog', async () => {
    const settings = { events: ['task.*', 'session.closed'], agent: 'a', rateLimit: 7, ordering: 'task' } as const
    const id = await insertOne({ ...settings, headerNames: ['X-A'], headers: Buffer.from('sealed') })
    expect(await getWebhook(pool, { tenant, id })).toMatchObject({
      ...settings,
      id,
      tenant,
      headers: Buffer.from('sealed'),
      enabled: true,
      disabledReason: null,
      pendingCount: 0,
      oldestPendingAtMs: null,
      failingSinceMs: null,
      lastSuccessAtMs: null,
    })
    expect(await getWebhook(pool, { tenant: 'other', id })).toBeUndefined()
  })

  test('are returned by every write as they were written, a rotation and an enabling included', async () => {
    const id = await insertOne()
    const shown = { enabled: false, disabledReason: 'manual' }
    expect(await update({ tenant, id, changes: { enabled: false } })).toMatchObject({ id, ...shown })
    await pool.query(`UPDATE webhook_endpoints SET failing_since = now() WHERE tenant_id = $1`, [tenant])
    expect(await getWebhook(pool, { tenant, id })).toMatchObject({ failingSinceMs: expect.any(Number) })
    const enabled = await update({ tenant, id, changes: { enabled: true } })
    expect(enabled).toMatchObject({ enabled: true, failingSinceMs: null })
    expect(enabled).toEqual(await getWebhook(pool, { tenant, id }))
    const rotated = await rotateWebhookSecret(pool, { tenant, id, secret: Buffer.from('new'), overlapMs: 0 })
    expect(rotated).toEqual(await getWebhook(pool, { tenant, id }))
  })

  test('lose their headers when their origin changes, unless the change has new ones', async () => {
    const sealed = { headerNames: ['X-A'], headers: Buffer.from('sealed') }
    const id = await insertOne({ url: 'https://a.example/hook', ...sealed })
    const headersAt = async (url: string, more = {}): Promise<readonly string[] | undefined> =>
      (await update({ tenant, id, changes: { url, ...more } }))?.headerNames
    expect(await headersAt('HTTPS://A.example:443/other?path')).toEqual(['X-A'])
    expect(await headersAt('https://a.example:8443/hook')).toEqual([])
    expect(await headersAt('https://b.example/', sealed)).toEqual(['X-A'])
    expect(await headersAt('http://b.example/')).toEqual([])
  })

  test('count their backlog no further than 10,000, the oldest first', async () => {
    const id = await insertOne()
    await insertUnfinished(id, PENDING_COUNT_MAX + 10)
    const row = await getWebhook(pool, { tenant, id })
    expect(row?.pendingCount).toBe(PENDING_COUNT_MAX)
    expect(row?.oldestPendingAtMs).toBeLessThan(Date.now() - 7_000_000)
  })

  test('keep what a change does not name, and null clears', async () => {
    const id = await insertOne({ agent: 'a', description: 'd' })
    expect(await update({ tenant, id, changes: { agent: null, url: 'https://b.example/' } })).toMatchObject({
      agent: null,
      description: 'd',
      url: 'https://b.example/',
    })
    expect(await update({ tenant: 'other', id, changes: { agent: 'b' } })).toBeUndefined()
  })

  test('keep the first reason for which they are disabled, and lose it when enabled', async () => {
    const id = await insertOne()
    const reason = async (): Promise<unknown> => (await getWebhook(pool, { tenant, id }))?.disabledReason
    await update({ tenant, id, changes: { enabled: false } })
    expect(await reason()).toBe('manual')
    await pool.query(`UPDATE webhooks SET disabled_reason = 'gone' WHERE tenant_id = $1`, [tenant])
    await update({ tenant, id, changes: { enabled: false } })
    expect(await reason()).toBe('gone')
    await update({ tenant, id, changes: { enabled: true } })
    expect(await reason()).toBeNull()
  })

  test('are listed newest first, page by page', async () => {
    const ids: string[] = []
    for (let index = 0; index < 5; index++)
      ids.unshift(await insertOne({ id: newTypeId('whk', 1_700_000_000_000 + index) }))
    const first = await listWebhooks(pool, { tenant, limit: 3 })
    expect(first).toMatchObject({ hasMore: true })
    const second = await listWebhooks(pool, { tenant, limit: 3, cursorId: ids[2] ?? '' })
    expect(second).toMatchObject({ hasMore: false })
    expect([...first.webhooks, ...second.webhooks].map(({ id }) => id)).toEqual(ids)
  })
})

/** The first page of a webhook's deliveries. */
async function listed(webhookId: string) {
  const page = { tenant, filter: { webhookId }, order: 'desc', limit: 10 } as const
  return (await findDeliveries(pool, page)).deliveries
}

describe('deliveries', () => {
  const nowMs = Date.now()

  /** Rows of one webhook as a matcher would write them, `states` from oldest to newest. */
  async function insertDeliveries(webhookId: string, states: readonly string[]): Promise<string[]> {
    const ids = states.map((_, index) => newTypeId('dlv', nowMs - 60_000 + index))
    await pool.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, started_attempt,
                               due_at, lease_until, finished_at)
       SELECT delivery_id, $2, webhook_id, gen_random_uuid(), 'task.created', 1, 0, n,
              CASE WHEN state = 'started' THEN 'queued' ELSE state END, CASE WHEN state = 'started' THEN 1 ELSE 0 END,
              CASE WHEN state = 'pending' THEN now() END,
              CASE WHEN state IN ('queued', 'started') THEN now() END,
              CASE WHEN state IN ('delivered', 'failed', 'cancelled') THEN now() END
         FROM unnest($1::uuid[], $4::text[]) WITH ORDINALITY AS row (delivery_id, state, n),
              (SELECT $3::uuid AS webhook_id) AS webhook`,
      [ids.map((id) => typeIdToUuid('dlv', id)), tenant, typeIdToUuid('whk', webhookId), states],
    )
    return ids.toReversed()
  }

  test('that are not finished are counted as the backlog of their webhook', async () => {
    const id = await insertOne()
    const ids = await insertDeliveries(id, ['pending', 'queued', 'delivered', 'failed', 'cancelled'])
    expect((await listed(id)).map((delivery) => delivery.id)).toEqual(ids)
    expect(await getWebhook(pool, { tenant, id })).toMatchObject({ pendingCount: 2 })
  })

  test('that are pending end a page of webhooks once enough of them are counted', async () => {
    const ids: string[] = []
    for (const [index, states] of [['pending'], ['pending', 'queued', 'failed'], [], ['queued']].entries()) {
      const id = await insertOne({ id: newTypeId('whk', 1_700_000_000_000 + index) })
      await insertDeliveries(id, states)
      ids.unshift(id)
    }
    const page = async (cursorId?: string) => {
      const { webhooks, hasMore } = await listWebhooks(pool, {
        tenant,
        limit: 10,
        countedMax: 3,
        ...(cursorId === undefined ? {} : { cursorId }),
      })
      return { counts: webhooks.map(({ id, pendingCount }) => [ids.indexOf(id), pendingCount]), hasMore }
    }
    expect([await page(), await page(ids[2]), await page(ids[3])]).toEqual([
      {
        counts: [
          [0, 1],
          [1, 0],
          [2, 2],
        ],
        hasMore: true,
      },
      { counts: [[3, 1]], hasMore: false },
      { counts: [], hasMore: false },
    ])
  })

  test('that are pending are counted in their index, however many are finished', async () => {
    const id = await insertOne()
    await insertDeliveries(id, [...Array<string>(2_000).fill('delivered'), 'pending'])
    await pool.query('ANALYZE deliveries')
    const plan = await withTransaction(pool, async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off')
      const { rows } = await tx.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (COSTS OFF) SELECT backlog.* FROM webhooks w CROSS JOIN LATERAL (${backlogOf('w.id')}) AS backlog`,
      )
      return rows.map((row) => row['QUERY PLAN'])
    })
    expect(plan.filter((line) => /Sort {2}|Sort$|Seq Scan on deliveries/.test(line))).toEqual([])
    const scans = plan.filter((line) => line.includes('Index Only Scan using deliveries_'))
    expect(scans.length).toBeGreaterThan(0)
    expect(scans.filter((line) => !line.includes('_deliveries_unfinished'))).toEqual([])
  })

  test('that wait are cancelled with their webhook, a bounded number at a time; running and finished ones are not', async () => {
    const id = await insertOne()
    const ids = await insertDeliveries(id, ['pending', 'queued', 'pending', 'started', 'delivered'])
    expect(await cancelDeliveries(pool, { tenant: 'other', webhookId: id, limit: 10 })).toBe(0)
    expect(await cancelDeliveries(pool, { tenant, webhookId: id, limit: 2 })).toBe(2)
    expect(await cancelDeliveries(pool, { tenant, webhookId: id, limit: 2 })).toBe(1)
    expect(await cancelDeliveries(pool, { tenant, webhookId: id, limit: 2 })).toBe(0)
    expect((await listed(id)).map(({ status }) => status)).toEqual([
      'delivered',
      'pending',
      ...Array(3).fill('cancelled'),
    ])
    expect(await getDelivery(pool, { tenant, id: ids[4] ?? '' })).toMatchObject({
      status: 'cancelled',
      nextAttemptAtMs: null,
      finishedAtMs: expect.any(Number),
    })
  })

  test('show their attempts oldest first, the newest of them if there are many', async () => {
    const id = await insertOne()
    const [delivery = ''] = await insertDeliveries(id, ['pending'])
    await pool.query(
      `INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, started_at, total_ms, status, response_headers)
       SELECT $1, n, $2, $3, now(), n, 500, '{"a":"b"}' FROM generate_series(1, 5) AS n`,
      [typeIdToUuid('dlv', delivery), tenant, typeIdToUuid('whk', id)],
    )
    const attempts = await listAttempts(pool, { tenant, deliveryId: delivery, limit: 3 })
    expect(attempts.map(({ attempt }) => attempt)).toEqual([3, 4, 5])
    expect(attempts[0]).toMatchObject({ status: 500, responseHeaders: '{"a":"b"}', totalMs: 3 })
    expect(await listAttempts(pool, { tenant: 'other', deliveryId: delivery, limit: 3 })).toEqual([])
  })
})
