import { createWorld, DEADLINES, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const EVENTS = 8_000
/** The event at which a projector is killed. */
const BLOCKED = 4_500

let world: World
let api: ServiceProcess
/** For transactions that are open while the test queries tables. */
let transactions: ReturnType<World['database']['openPool']>
const open = new Set<PoolClient>()

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  transactions = world.database.openPool({ owner: true })
  api = await world.startService('api')
})
afterAll(async () => {
  for (const client of open) client.release(true)
  await world?.close()
})

async function insertEvents(db: Pick<PoolClient, 'query'>, tenant: string, events: number, first = 1): Promise<void> {
  await db.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT $1, (left(uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint)::text, 24) || lpad(n::text, 12, '0'))::uuid,
            'task.created', 1, 0, n, now(), '{}'
       FROM generate_series($3::int, $3::int + $2::int - 1) n`,
    [tenant, events, first],
  )
}

async function count(table: string, where: string): Promise<number> {
  const { rows } = await world.admin.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`)
  return rows[0]?.n ?? -1
}

/** Opens a transaction with a lock or writes of its own. */
async function transaction(begin: string): Promise<PoolClient> {
  const client = await transactions.connect()
  open.add(client)
  await client.query('BEGIN')
  await client.query(begin)
  return client
}

async function commit(client: PoolClient): Promise<void> {
  await client.query('COMMIT')
  open.delete(client)
  client.release()
}

/** It deletes as soon as it runs. It is ready when Kafka has given up the member that was killed, which takes seconds. */
async function startProjector(): Promise<ServiceProcess> {
  return await world.startService('projector', {}, { untilReady: false })
}

/** Starts a projector, kills it once `reached`, and lets its transaction end by the lock's end. */
async function killWhen(reached: () => Promise<boolean>, lock?: PoolClient): Promise<void> {
  const projector = await startProjector()
  await eventually('the deletion is where it is to be killed', reached)
  projector.kill('SIGKILL')
  await projector.exited
  if (lock !== undefined) await commit(lock)
}

/** A statement of a projector waits for a lock. */
async function isBlocked(): Promise<boolean> {
  return (await count('pg_stat_activity', `application_name = 'ariftly-projector' AND wait_event_type = 'Lock'`)) > 0
}

test('a deletion continues after the projector was killed in any of its phases, and the count is of all rows', async () => {
  const key = await world.apiKey('gone', ['events:read'])
  await insertEvents(world.admin, 'gone', EVENTS)
  await insertEvents(world.admin, 'stays', 100, EVENTS + 1)
  await world.admin.query(
    `INSERT INTO idempotency_keys (api_key_id, key, method, path, body_hash, status, answer)
     SELECT id, 'k', 'POST', '/', sha256('b'), 201, 'sealed' FROM api_keys WHERE tenant_id = 'gone'`,
  )
  const operator = await world.apiKey('default', ['platform'])
  const call = (method: string) =>
    fetch(`${api.url}/v1/tenants/gone`, { method, headers: { authorization: `Bearer ${operator}` } })
  // A writer that does not see the deletion, and ends after most of it.
  const older = await transaction('SELECT pg_current_xact_id()')
  const keyLock = await transaction(`SELECT FROM api_keys WHERE tenant_id = 'gone' FOR SHARE`)
  expect((await call('DELETE')).status).toBe(202)

  // While it revokes keys.
  await killWhen(isBlocked, keyLock)
  expect(await count('api_keys', `tenant_id = 'gone' AND revoked_at IS NULL`)).toBe(1)
  expect((await fetch(`${api.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(403)

  // In the middle of a slice.
  const eventLock = await transaction(
    `SELECT FROM events WHERE tenant_id = 'gone' AND "offset" = ${BLOCKED} FOR UPDATE`,
  )
  const deleted = Math.floor(BLOCKED / 1000) * 1000
  await killWhen(async () => (await count('events', `tenant_id = 'gone'`)) === EVENTS - deleted, eventLock)
  // The deleted rows and the key are the counted ones; the interrupted slice had no effect.
  expect(await (await call('GET')).json()).toMatchObject({ state: 'deleting', deleted_count: deleted + 1 })
  expect(await count('events', `tenant_id = 'gone'`)).toBe(EVENTS - deleted)

  // While it waits for older transactions, after its last slice.
  await killWhen(async () => (await count('events', `tenant_id = 'gone'`)) === 0)
  expect(await count('events', `tenant_id = 'gone'`)).toBe(0)
  expect((await call('GET')).status).toBe(200)
  await insertEvents(older, 'gone', 3, 1)
  await commit(older)

  // In its last scan.
  const answerLock = await transaction('SELECT FROM idempotency_keys FOR UPDATE')
  await killWhen(async () => (await count('events', `tenant_id = 'gone'`)) === 0 && (await isBlocked()), answerLock)
  expect((await call('GET')).status).toBe(200)

  await startProjector()
  await eventually('the tenant is gone', async () => (await call('GET')).status === 404, {
    timeoutMs: DEADLINES.recovery,
  })
  expect([await count('events', `tenant_id = 'gone'`), await count('events', `tenant_id = 'stays'`)]).toEqual([0, 100])
  expect(await count('idempotency_keys', 'true')).toBe(0)
}, 180_000)
