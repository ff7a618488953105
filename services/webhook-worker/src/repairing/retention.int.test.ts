import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, eventually, insertSampleWebhook } from '@ariftly/testkit'
import { keepRetention } from './retention.ts'

const DAY_MS = 86_400_000
const tenant = 'mine'
/** More than go with one statement. */
const EXPIRED = 2500

const database = await createTestDatabase()
const service = database.openPool()
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

/** Replays of a webhook that were made `madeDays` ago; null: they still run. */
async function insertReplays(count: number, madeDays: number, finishedDays: number | null): Promise<void> {
  const webhookId = await insertSampleWebhook(admin, { tenant })
  const ids = Array.from({ length: count }, () => newTypeId('rpl', Date.now() - madeDays * DAY_MS))
  await admin.query(
    `INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run, state, created_at, finished_at)
     SELECT id, $2, $3, now(), now(), false, CASE WHEN $5::int IS NULL THEN 'running' ELSE 'completed' END,
            now() - $4::int * interval '1 day', now() - $5::int * interval '1 day'
       FROM unnest($1::uuid[]) id`,
    [ids.map((id) => typeIdToUuid('rpl', id)), tenant, typeIdToUuid('whk', webhookId), madeDays, finishedDays],
  )
}

/** Webhooks that were deleted so many days ago. */
async function insertDeleted(count: number, days: number): Promise<void> {
  await admin.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret, deleted_at)
     SELECT gen_random_uuid(), $1, 'https://example.com/', '{*}', '', now() - $2::int * interval '1 day'
       FROM generate_series(1, $3::int)`,
    ['deleter', days, count],
  )
}

/** Runs the retention until `isDone`. */
async function keepUntil(isDone: () => Promise<boolean>): Promise<void> {
  const end = new AbortController()
  const log = { info() {}, warn() {}, error() {} }
  const kept = keepRetention({ db: service, onExpired: () => {}, signal: end.signal, log })
  await eventually('the retention is kept', isDone)
  end.abort()
  await kept
}

async function daysLeft(): Promise<unknown> {
  const { rows } = await admin.query(
    `SELECT round(extract(epoch FROM now() - created_at) / 86400)::int AS made, state, count(*)::int AS replays
       FROM webhook_replays GROUP BY 1, 2 ORDER BY 1`,
  )
  return rows
}

test('replays that ended more than 35 days ago are deleted, by a role that may not delete others', async () => {
  await insertReplays(EXPIRED, 40, 36)
  await insertReplays(1, 50, 34)
  await insertReplays(1, 60, null)
  await insertReplays(1, 1, 0)
  await expect(service.query('DELETE FROM webhook_replays')).rejects.toMatchObject({ sqlState: '42501' })

  await keepUntil(async () => {
    const { rows } = await admin.query<{ count: number }>('SELECT count(*)::int FROM webhook_replays')
    return rows[0]?.count === 3
  })
  expect(await daysLeft()).toEqual([
    { made: 1, state: 'completed', replays: 1 },
    { made: 50, state: 'completed', replays: 1 },
    { made: 60, state: 'running', replays: 1 },
  ])
})

test('webhooks are removed that were deleted before any delivery that is still stored, and no others', async () => {
  await insertDeleted(EXPIRED, 44)
  await insertDeleted(2, 42)
  await expect(service.query('DELETE FROM webhooks')).rejects.toMatchObject({ sqlState: '42501' })
  await keepUntil(async () => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT count(*)::int FROM webhooks WHERE tenant_id = 'deleter'`,
    )
    return rows[0]?.count === 2
  })
  const { rows } = await admin.query<{ webhooks: number }>(
    `SELECT count(*)::int AS webhooks FROM webhook_endpoints WHERE tenant_id = 'deleter'`,
  )
  expect(rows).toEqual([{ webhooks: 2 }])
})

test('webhooks that were deleted lately are found by an index, however many were deleted before', async () => {
  for (let part = 0; part < 10; part += 1) await insertDeleted(2_000, 20)
  await admin.query('ANALYZE webhooks')
  const { rows } = await admin.query<Record<'QUERY PLAN', string>>(
    `EXPLAIN SELECT id FROM webhooks WHERE deleted_at > now() - 600000::float8 * interval '1 ms'`,
  )
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('webhooks_deleted')
})

test('answers that were stored for a day under an Idempotency-Key are deleted, without any further write', async () => {
  const { rows } = await admin.query<{ id: string }>(
    `INSERT INTO api_keys (id, tenant_id, name, hash, scopes) VALUES (gen_random_uuid(), $1, 'x', $2, '{admin}') RETURNING id`,
    [tenant, randomBytes(32)],
  )
  await admin.query(
    `INSERT INTO idempotency_keys (api_key_id, key, method, path, body_hash, status, answer, created_at)
     SELECT $1, n::text, 'POST', '/v1/webhooks', $2, 201, '', now() - CASE WHEN n = 0 THEN interval '23 hours' ELSE interval '25 hours' END
       FROM generate_series(0, $3::int) n`,
    [rows[0]?.id, randomBytes(32), EXPIRED],
  )
  const left = async () => (await admin.query<{ key: string }>('SELECT key FROM idempotency_keys')).rows
  await keepUntil(async () => (await left()).length === 1)
  expect(await left()).toEqual([{ key: '0' }])
})

/** The partitions of deliveries and attempts of the week before the last one. */
async function pastPartitions(): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
      WHERE inhparent IN ('deliveries'::regclass, 'attempts'::regclass)
        AND c.relname LIKE '%' || to_char(date_trunc('week', now() AT TIME ZONE 'UTC') - interval '14 days', 'YYYYMMDD')
      ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

test('partitions of past weeks that are missing are made, as replays need them', async () => {
  const before = await pastPartitions()
  expect(before).toHaveLength(2)
  for (const name of before) await admin.query(`DROP TABLE ${name}`)
  expect(await pastPartitions()).toEqual([])
  await keepUntil(async () => (await pastPartitions()).length === 2)
  expect(await pastPartitions()).toEqual(before)
})
