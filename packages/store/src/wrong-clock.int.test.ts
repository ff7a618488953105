import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook, type TestDatabase } from '@ariftly/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { deleteRevokedApiKeys } from './api-keys/api-keys.ts'
import { deleteExpiredAuditEntries } from './audit.ts'
import { dropExpiredEventPartitions, ensureEventPartitions, readEventsKeptFrom } from './events/events.ts'
import type { Pool } from './pool.ts'
import { callFunction } from './prepared.ts'
import { deleteExpiredLogTimes } from './projection/log-times.ts'
import { deleteExpiredRedeliveries } from './redeliveries/redeliveries.ts'
import { deleteExpiredReplays } from './replays/replays.ts'
import { deleteExpiredStats } from './stats/webhook-stats.ts'
import { deleteExpiredWebhooks } from './webhooks/webhooks.ts'

const DAY_MS = 86_400_000
const LIMIT = { limit: 100 }

let database: TestDatabase
let owner: Pool
/** Of the services' role. */
let pool: Pool

beforeEach(async () => {
  database = await createTestDatabase()
  owner = database.openPool({ owner: true })
  pool = database.openPool()
  await owner.query(
    `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (7, 't', 'c', 'i'), (8, 't', 'c', 'i')`,
  )
  await owner.query(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset)
     SELECT 'events', epoch, 't', partition, 0 FROM unnest(ARRAY[7, 8]) AS epoch, unnest(ARRAY[0, 1]) AS partition`,
  )
})
afterEach(() => database.drop())

/** Records an append of the newest epoch, so many days before the clock of Postgres: that is, the clock is so many days ahead. */
async function append(daysAgo: number, { epoch = 8, partition = 0, offset = 10 } = {}): Promise<number> {
  const ms = Date.now() - daysAgo * DAY_MS
  await pool.query('INSERT INTO log_times VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000))', [
    epoch,
    partition,
    offset,
    ms,
  ])
  return ms
}

async function createWeeks(daysAgo: number): Promise<void> {
  const ms = Date.now() - daysAgo * DAY_MS
  await owner.query(
    `SELECT create_weekly_partitions(parent, $1, $1) FROM unnest(ARRAY['events', 'deliveries', 'attempts']) AS parent`,
    [ms],
  )
}

async function weeks(parent: string): Promise<readonly string[]> {
  const { rows } = await owner.query<{ name: string }>(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1',
    [parent],
  )
  return rows.map(({ name }) => name)
}

async function dropDeliveryPartitions(): Promise<{ readonly dropped: readonly string[]; readonly expired: number }> {
  const { rows } = await pool.query<{ dropped: string[]; expired: number }>(
    'SELECT dropped, expired FROM drop_expired_delivery_partitions()',
  )
  return rows[0] ?? { dropped: [], expired: 0 }
}

/** Inserts a row of each kind that expires by time, so many days old. */
async function insertOld(daysAgo: number): Promise<void> {
  const ago = `now() - ${daysAgo} * interval '1 day'`
  const id = (prefix: string): string => typeIdToUuid(prefix, newTypeId(prefix, Date.now() - daysAgo * DAY_MS))
  const webhookId = typeIdToUuid('whk', await insertSampleWebhook(pool))
  await owner.query(`UPDATE webhooks SET deleted_at = ${ago} WHERE id = $1`, [webhookId])
  const live = typeIdToUuid('whk', await insertSampleWebhook(pool))
  await owner.query(
    `INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run, state, finished_at)
     VALUES ($1, 'mine', $2, now(), now(), true, 'completed', ${ago})`,
    [id('rpl'), live],
  )
  await owner.query(
    `INSERT INTO redeliveries (id, tenant_id, filter, dry_run, state, finished_at)
     VALUES ($1, 'mine', '{}', true, 'completed', ${ago})`,
    [id('rdl')],
  )
  await owner.query(
    `INSERT INTO audit_entries (id, key_id, tenant_id, action, target, request_id)
     VALUES ($1, $1, 'mine', 'webhook.update', 'w', 'r')`,
    [id('aud')],
  )
  await owner.query(
    `INSERT INTO api_keys (id, hash, tenant_id, name, scopes, revoked_at)
     VALUES ($1, sha256($2), 'mine', 'old', '{events:read}', ${ago})`,
    [id('key'), Buffer.from(String(daysAgo))],
  )
  await owner.query(`INSERT INTO webhook_stats VALUES ($1, 900, ${ago}, 1, 0, 1, '{}', '{}')`, [live])
}

/** How many rows of each kind are removed, each by the services' role. */
async function removeExpired(): Promise<Readonly<Record<string, number>>> {
  return {
    replays: await deleteExpiredReplays(pool, LIMIT),
    redeliveries: await deleteExpiredRedeliveries(pool, LIMIT),
    webhooks: await deleteExpiredWebhooks(pool, LIMIT),
    auditEntries: await deleteExpiredAuditEntries(pool, LIMIT.limit),
    revokedKeys: await deleteRevokedApiKeys(pool, LIMIT.limit),
    statistics: await deleteExpiredStats(pool, LIMIT),
    logTimes: await deleteExpiredLogTimes(pool),
  }
}

describe('while the clock of Postgres is 500 days ahead of the log', () => {
  beforeEach(async () => {
    for (const days of [500, 520, 545, 595]) await createWeeks(days)
    await append(570, { offset: 0 })
    await append(560, { offset: 1 })
    await append(500)
  })

  test('no week of events or deliveries is dropped that the log does not know to be old, and right ones are', async () => {
    const events = await weeks('events')
    expect(await dropExpiredEventPartitions(pool)).toEqual([])
    expect(await weeks('events')).toEqual(events)
    const { dropped, expired } = await dropDeliveryPartitions()
    // Of events that were appended 45 and 95 days before the newest one.
    expect(dropped).toHaveLength(4)
    expect(expired).toBe(0)
    await append(390, { offset: 11 })
    expect(await dropExpiredEventPartitions(pool)).toHaveLength(4)
  })

  test('nothing else is removed that is not old by the log', async () => {
    await insertOld(501)
    expect(new Set(Object.values(await removeExpired()))).toEqual(new Set([0]))
    await append(0, { offset: 11 })
    const removed = await removeExpired()
    expect(Object.keys(removed).filter((kind) => removed[kind] === 0)).toEqual([])
  })

  test('a week is made if it fits the append time of the record that needs it', async () => {
    const appendedMs = await append(470, { offset: 11 })
    const minMs = appendedMs - 90 * DAY_MS
    const before = await weeks('events')
    const { created, keptFromMs } = await ensureEventPartitions(pool, { minMs, maxMs: appendedMs, appendedMs })
    expect(created).toBeGreaterThan(9)
    expect(keptFromMs).toBeLessThan(minMs)
    expect(keptFromMs).toBe(await readEventsKeptFrom(pool))
    expect(await weeks('events')).toHaveLength(before.length + created)
    expect(await callFunction(pool, 'ensure_delivery_partitions', [appendedMs, appendedMs])).toBe(2)
  })

  test('a broker whose clock was ahead too decides only until the next record of its partition', async () => {
    await append(0, { partition: 1, offset: 5 })
    expect(await readEventsKeptFrom(pool)).toBeGreaterThan(Date.now() - 106 * DAY_MS)
    await append(500, { partition: 1, offset: 6 })
    expect(await readEventsKeptFrom(pool)).toBeLessThan(Date.now() - 596 * DAY_MS)
  })
})

test('of a log that has been replaced, the newest epoch with a record decides', async () => {
  await append(300, { epoch: 7 })
  const before = await readEventsKeptFrom(pool)
  await append(400, { epoch: 8 })
  expect(before - (await readEventsKeptFrom(pool))).toBeGreaterThan(90 * DAY_MS)
})

test('while the clock of Postgres is 200 days behind, weeks are made, and nothing is dropped', async () => {
  const appendedMs = Date.now() + 200 * DAY_MS
  const ensured = await ensureEventPartitions(pool, { minMs: appendedMs, maxMs: appendedMs, appendedMs })
  expect(ensured.created).toBe(1)
  await append(-200)
  expect(await callFunction(pool, 'ensure_delivery_partitions', [appendedMs, appendedMs])).toBe(2)
  expect(await dropExpiredEventPartitions(pool)).toEqual([])
  expect((await dropDeliveryPartitions()).dropped).toEqual([])
})

test('before the first append the first records get their weeks, with a clock that is ahead too', async () => {
  const appendedMs = Date.now() - 200 * DAY_MS
  const { keptFromMs } = await ensureEventPartitions(pool, { minMs: appendedMs, maxMs: appendedMs, appendedMs })
  expect(keptFromMs).toBeLessThan(appendedMs - 90 * DAY_MS)
  expect(await weeks('events')).toContain(
    `events_p${new Date(appendedMs - ((appendedMs / DAY_MS + 3) % 7) * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`,
  )
})
