import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { createWorld, type World } from '@ariftly/testkit'
import { startPgBouncer, type PgBouncer } from '../support/pgbouncer.ts'

let world: World
const poolers: PgBouncer[] = []

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
})

afterAll(async () => {
  await Promise.all(poolers.map((pooler) => pooler.close()))
  await world?.close()
})

async function start(poolMode: 'session' | 'transaction', poolSize: number): Promise<PgBouncer> {
  const pooler = await startPgBouncer(world.database.adminUrl, { poolMode, poolSize })
  poolers.push(pooler)
  return pooler
}

/** What a session of a pool of the service role has, and which it is. */
async function sessionOf(url: string, statementTimeoutMs: number): Promise<unknown> {
  const pool = createPool({ role: SERVICE_ROLE, url, applicationName: 'test', max: 1, statementTimeoutMs })
  try {
    const { rows } = await pool.query(
      `SELECT current_user AS role, current_setting('statement_timeout') AS timeout, pg_backend_pid() AS pid`,
    )
    return rows[0]
  } finally {
    await pool.end()
  }
}

describe('PgBouncer', () => {
  test('in session mode gives each client its own role and timeouts, also when it reuses a session', async () => {
    const { urlOf } = await start('session', 1)
    const url = urlOf(world.database.adminUrl)
    const pid = expect.any(Number)
    const first = await sessionOf(url, 1234)
    expect(first).toEqual({ role: SERVICE_ROLE, timeout: '1234ms', pid })
    const second = await sessionOf(url, 4321)
    expect(second).toEqual({ ...(first as object), timeout: '4321ms' })
  })

  test('in session mode serves the API', async () => {
    const { urlOf } = await start('session', 20)
    const DATABASE_URL = urlOf(world.database.adminUrl)
    const api = await world.startService('api', { DATABASE_URL })
    const authorization = `Bearer ${await world.apiKey('acme')}`
    const response = await fetch(`${api.url}/v1/events`, { headers: { authorization } })
    expect(response.status).toBe(200)
    api.kill('SIGTERM')
    expect(await api.exited).toBe(0)
  })

  test('in transaction mode is refused at the start, with what to change', async () => {
    const { urlOf } = await start('transaction', 20)
    const DATABASE_URL = urlOf(world.database.adminUrl)
    const api = await world.startService('api', { DATABASE_URL }, { untilReady: false })
    expect(await api.exited).toBe(78)
    expect(api.output()).toContain('There is a connection pooler in transaction mode before Postgres')
    expect(api.output()).toContain('pool_mode = session')
  })
})
