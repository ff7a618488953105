import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { readConfig } from '@ariftly/runtime'
import { createPool, type Pool } from '@ariftly/store'
import { byForm, createTestDatabase, eventually, insertSampleWebhook, type TestDatabase } from '@ariftly/testkit'
import { webhookWorkerConfig } from '../config.ts'
import { closePools, createPools, type WorkerPools } from '../pools.ts'
import { DeliveryScheduler } from './delivery-scheduler.ts'
import { TenantShares } from './tenant-shares.ts'

/** Woken at the same time: several statements of ordered ones. */
const WEBHOOKS = 30
/** More waiting tasks than one statement scans. */
const WAITING = 700
const IN_FLIGHT_MAX = 10
/** Webhooks with many pending deliveries that one scan reads. */
const ONE_SCAN = 100
const KEY = Buffer.alloc(32, 1).toString('base64')
const WORKER_ID = '00000000-0000-7000-8000-000000000001'

let database: TestDatabase
let admin: Pool
let pools: WorkerPools

beforeAll(async () => {
  database = await createTestDatabase()
  admin = createPool({ role: null, url: database.adminUrl, applicationName: 'test', max: 2 })
  const unused = { KAFKA_BROKERS: '127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', ENCRYPTION_KEYS: `test:${KEY}` }
  pools = createPools(readConfig(webhookWorkerConfig, { ...unused, DATABASE_URL: database.url }))
})
afterAll(async () => {
  await admin?.end()
  if (pools !== undefined) await closePools(pools)
  await database?.drop()
})

/** A scheduler whose jobs no worker takes. `onJobs` gets how many deliveries are queued together. */
function startScheduler(
  onJobs: (deliveries: number) => void = () => {},
  {
    pool = pools.scheduling,
    warn = () => {},
    slots = 1_000,
  }: { readonly pool?: Pool; readonly warn?: (fields: object) => void; readonly slots?: number } = {},
): {
  readonly scheduler: DeliveryScheduler
  readonly close: () => Promise<void>
} {
  const ending = new AbortController()
  const scheduler = new DeliveryScheduler({
    pool,
    enqueue: (_priority, refs) => Promise.resolve(onJobs(refs.length)),
    canEnqueue: () => true,
    perEndpointMax: IN_FLIGHT_MAX,
    perTenantMax: 1_000,
    shares: new TenantShares({ healthy: slots, unhealthy: slots }),
    deadMs: 5_000,
    leaseMs: 600_000,
    workerId: WORKER_ID,
    onQueued: () => {},
    signal: ending.signal,
    log: { warn },
  })
  async function close(): Promise<void> {
    ending.abort()
    await scheduler.close()
  }
  return { scheduler, close }
}

/** Makes each delivery of a webhook take `ms` to queue. Returns the undoing. */
async function dawdle(webhookId: string, ms: number): Promise<() => Promise<unknown>> {
  await admin.query(`
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${ms / 1000}); RETURN NEW; END $$;
    CREATE TRIGGER dawdle BEFORE UPDATE ON deliveries FOR EACH ROW
      WHEN (NEW.state = 'queued' AND NEW.webhook_id = '${typeIdToUuid('whk', webhookId)}') EXECUTE FUNCTION dawdle()`)
  return () => admin.query('DROP TRIGGER dawdle ON deliveries; DROP FUNCTION dawdle()')
}

async function newWebhook(ordering: 'none' | 'task', rateLimit: number | null, tenant = 'mine'): Promise<string> {
  return await insertSampleWebhook(admin, { tenant, ordering, rateLimit })
}

/** Pending deliveries, each of a task of its own. */
async function insertPending(webhookId: string, tasks: readonly string[], dueInS: number): Promise<void> {
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", due_at)
     SELECT d.id, w.tenant_id, w.id, d.id, 'task.created', task, 1, 0, 0, now() + $4 * interval '1 s'
       FROM unnest($2::uuid[], $3::text[]) AS d (id, task), webhooks w
      WHERE w.id = $1`,
    [typeIdToUuid('whk', webhookId), tasks.map(() => typeIdToUuid('dlv', newTypeId('dlv'))), tasks, dueInS],
  )
}

/** Deliveries of these webhooks that are queued. */
async function queuedOf(webhookIds: readonly string[]): Promise<number> {
  const { rows } = await admin.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM deliveries WHERE state = 'queued' AND webhook_id = ANY ($1)`,
    [webhookIds.map((id) => typeIdToUuid('whk', id))],
  )
  return rows[0]?.n ?? 0
}

/** Ends what is queued of a webhook, as a worker would whose attempts take no time. */
async function deliverQueued(webhookId: string): Promise<number> {
  const { rowCount } = await admin.query(
    `UPDATE deliveries SET state = 'delivered', lease_until = NULL, finished_at = now() WHERE state = 'queued' AND webhook_id = $1`,
    [typeIdToUuid('whk', webhookId)],
  )
  return rowCount ?? 0
}

test.each(['none', 'task'] as const)(
  'webhooks without a token cost no transaction even when they are woken, and continue when they have one (ordering %s)',
  async (ordering) => {
    const webhookIds = await Promise.all(Array.from({ length: WEBHOOKS }, () => newWebhook(ordering, 1)))
    for (const id of webhookIds) await insertPending(id, ['a', 'b', 'c'], 0)
    let checkouts = 0
    const count = () => void (checkouts += 1)
    pools.scheduling.on('acquire', count)
    const { scheduler, close } = startScheduler()
    try {
      await eventually('one job a webhook', async () => (await queuedOf(webhookIds)) === WEBHOOKS)
      const startedMs = performance.now()
      checkouts = 0
      while (performance.now() - startedMs < 300) {
        scheduler.wake(webhookIds)
        scheduler.wakeFreed(webhookIds)
        await delay(1)
      }
      // A few scans (a read and a count each), and the webhooks that have their second token meanwhile.
      expect(checkouts).toBeLessThan(WEBHOOKS)
      await eventually('3 jobs a webhook', async () => (await queuedOf(webhookIds)) === 3 * WEBHOOKS)
      expect(performance.now() - startedMs).toBeGreaterThan(1_500)
    } finally {
      await close()
      pools.scheduling.off('acquire', count)
    }
  },
)

/** The transaction of the slow tenant, which takes 1 s, has begun. */
const HEAD_START_MS = 100
/** Bound of 2.2 s of tokens: in the short form other tests run at the same time. */
const LATE_MS = byForm({ short: 4_400, long: 2_600 })

test.each(['none', 'task'] as const)(
  'a webhook with a rate limit and a backlog is served at that rate (ordering %s)',
  async (ordering) => {
    const { scheduler, close } = startScheduler()
    async function serve(): Promise<number> {
      const id = await newWebhook(ordering, 10)
      await insertPending(id, Array.from({ length: 23 }, String), 0)
      const startedMs = performance.now()
      for (let delivered = 0; delivered < 23; await delay(5)) {
        const ended = await deliverQueued(id)
        if (ended > 0) scheduler.wakeFreed([id])
        delivered += ended
      }
      return performance.now() - startedMs
    }
    try {
      // One token at first, and 22 at 10 a second. A busy machine makes single rounds late; none is early.
      const times = [await serve()]
      while (times.length < 4 && Math.min(...times) >= LATE_MS) times.push(await serve())
      expect(Math.min(...times)).toBeGreaterThan(2_100)
      expect(Math.min(...times)).toBeLessThan(LATE_MS)
    } finally {
      await close()
    }
  },
)

test('a transaction that takes long delays no other tenant', async () => {
  const [slow, calm] = [await newWebhook('none', null, 'slow'), await newWebhook('none', null, 'calm')]
  const undo = await dawdle(slow, 1_000)
  const { scheduler, close } = startScheduler()
  try {
    await insertPending(slow, ['a'], 0)
    scheduler.wake([slow])
    await delay(HEAD_START_MS)
    await insertPending(calm, ['a'], 0)
    scheduler.wake([calm])
    await eventually('the calm webhook has a job', async () => (await queuedOf([calm])) === 1)
    expect(await queuedOf([slow])).toBe(0)
    await eventually('the slow webhook has a job', async () => (await queuedOf([slow])) === 1)
  } finally {
    await close()
    await undo()
  }
})

test('transactions that run in parallel leave slots for a third tenant', async () => {
  const slow = [await newWebhook('none', null, 'slow'), await newWebhook('none', null, 'slow')]
  const quick = [await newWebhook('none', null, 'quick'), await newWebhook('none', null, 'quick')]
  const undo = await dawdle(slow[0] ?? '', 100)
  const { scheduler, close } = startScheduler(undefined, { slots: 20 })
  const tasks = Array.from({ length: IN_FLIGHT_MAX }, String)
  try {
    for (const id of slow) await insertPending(id, tasks, 0)
    scheduler.wake(slow)
    await delay(HEAD_START_MS)
    for (const id of quick) await insertPending(id, tasks, 0)
    scheduler.wake(quick)
    await eventually('both tenants have jobs', async () => (await queuedOf(slow)) * (await queuedOf(quick)) > 0)
    expect(await queuedOf([...slow, ...quick])).toBeLessThan(20)
  } finally {
    await close()
    await undo()
    await admin.query('DELETE FROM deliveries WHERE webhook_id = ANY ($1)', [
      [...slow, ...quick].map((id) => typeIdToUuid('whk', id)),
    ])
  }
})

test('a tenant has few deliveries queued by one statement, and the next one follows at once', async () => {
  const webhookIds = await Promise.all(Array.from({ length: WEBHOOKS }, () => newWebhook('none', null)))
  for (const id of webhookIds) await insertPending(id, Array.from({ length: IN_FLIGHT_MAX }, String), 0)
  const counts: number[] = []
  const { close } = startScheduler((deliveries) => counts.push(deliveries))
  try {
    await eventually('the limit of each webhook', async () => (await queuedOf(webhookIds)) === WEBHOOKS * IN_FLIGHT_MAX)
    expect(Math.max(...counts)).toBeLessThanOrEqual(40)
    expect(counts.length).toBeLessThan(20)
  } finally {
    await close()
  }
})

test('ordered webhooks that are served together share statements', async () => {
  const webhookIds = await Promise.all(Array.from({ length: WEBHOOKS }, () => newWebhook('task', null)))
  for (const id of webhookIds) await insertPending(id, ['a', 'b'], 0)
  let checkouts = 0
  const count = () => void (checkouts += 1)
  pools.scheduling.on('acquire', count)
  const { close } = startScheduler()
  try {
    await eventually('2 jobs a webhook', async () => (await queuedOf(webhookIds)) === 2 * WEBHOOKS)
    // Two statements, and a few scans.
    expect(checkouts).toBeLessThan(WEBHOOKS / 2)
  } finally {
    await close()
    pools.scheduling.off('acquire', count)
  }
})

test('an ordered webhook finds what is due behind more waiting tasks than one statement scans', async () => {
  const webhookIds = await Promise.all(Array.from({ length: WEBHOOKS }, () => newWebhook('task', null)))
  const waiting = Array.from({ length: WAITING }, (_, number) => `task-${number}`)
  for (const id of webhookIds) {
    await insertPending(id, waiting, 3_600)
    await insertPending(id, ['task-of-the-end'], 0)
  }
  const { close } = startScheduler()
  try {
    await eventually('one job a webhook', async () => (await queuedOf(webhookIds)) === WEBHOOKS)
  } finally {
    await close()
  }
})

test('an ordered webhook that Postgres rejects delays no webhook that shares its statement', async () => {
  const webhookIds = await Promise.all(Array.from({ length: WEBHOOKS }, () => newWebhook('task', null)))
  const [poisoned = '', ...others] = webhookIds
  await admin.query(`
    CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'rejected'; END $$;
    CREATE TRIGGER poison BEFORE UPDATE ON deliveries FOR EACH ROW
      WHEN (NEW.state = 'queued' AND NEW.webhook_id = '${typeIdToUuid('whk', poisoned)}') EXECUTE FUNCTION reject()`)
  for (const id of webhookIds) await insertPending(id, ['a', 'b'], 0)
  const { close } = startScheduler()
  try {
    await eventually('2 jobs for each of the others', async () => (await queuedOf(others)) === 2 * others.length)
    expect(await queuedOf([poisoned])).toBe(0)
    await admin.query('DROP TRIGGER poison ON deliveries; DROP FUNCTION reject()')
    await eventually('both jobs of the damaged webhook', async () => (await queuedOf([poisoned])) === 2)
  } finally {
    await close()
  }
})

test('a webhook behind more pending ones than one scan reads is found, however far away the others are due', async () => {
  const others = Array.from({ length: ONE_SCAN + 10 }, () => newTypeId('whk'))
  const pending = others.flatMap((id) => Array.from({ length: 16 }, () => [id, newTypeId('dlv')] as const))
  await admin.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret)
     SELECT id, 'mine', 'https://example.com/', '{*}', '' FROM unnest($1::uuid[]) id`,
    [others.map((id) => typeIdToUuid('whk', id))],
  )
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT d.id, 'mine', d.webhook_id, d.id, 'task.created', 1, 0, 0, now() + interval '1 h'
       FROM unnest($1::uuid[], $2::uuid[]) AS d (webhook_id, id)`,
    [pending.map(([id]) => typeIdToUuid('whk', id)), pending.map(([, id]) => typeIdToUuid('dlv', id))],
  )
  const last = await newWebhook('none', null, 'another')
  expect(others.every((id) => id < last)).toBe(true)
  const { close } = startScheduler()
  try {
    await insertPending(last, ['a'], 0)
    await eventually('its delivery is queued', async () => (await queuedOf([last])) === 1)
  } finally {
    await close()
  }
})

test('a scan that Postgres cancels is tried again with half of the webhooks', async () => {
  await admin.query(`DELETE FROM deliveries WHERE state = 'pending'`)
  const webhookId = await newWebhook('none', null)
  await insertPending(webhookId, ['a'], 0)
  const pool = database.openPool({ settings: { statement_timeout: '500' } })
  const runs: unknown[] = []
  const locker = await admin.connect()
  await locker.query('BEGIN; LOCK TABLE deliveries')
  const { close } = startScheduler(undefined, { pool, warn: (fields) => 'runs' in fields && runs.push(fields.runs) })
  try {
    await eventually('two scans have failed', () => runs.length === 2)
    expect(runs).toEqual([ONE_SCAN, ONE_SCAN / 2])
    await locker.query('ROLLBACK')
    await eventually('the delivery is queued', async () => (await queuedOf([webhookId])) === 1)
  } finally {
    locker.release(true)
    await close()
  }
})
