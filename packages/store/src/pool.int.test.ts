import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createTestDatabase, startCuttingProxy } from '@ariftly/testkit'
import { createPool } from './pool.ts'
import { sqlState, StoreFault } from './store-fault.ts'
import { withTransaction } from './with-transaction.ts'

const database = await createTestDatabase()
const pool = database.openPool({ owner: true })

beforeAll(async () => {
  await pool.query('CREATE TABLE counters (id int PRIMARY KEY, n int)')
  await pool.query('INSERT INTO counters VALUES (1, 0), (2, 0)')
})
afterAll(() => database.drop())

describe('values', () => {
  test('json is read with the bytes that were written', async () => {
    const text = '{"a": 1.0,"a":9223372036854775807,"b":1E+2,"c":"\\u00e9é"}'
    const { rows } = await pool.query<{ json: string }>('SELECT $1::json AS json', [text])
    expect(rows).toEqual([{ json: text }])
  })

  test('int8 is a number, and one that a number cannot hold is an error', async () => {
    expect((await pool.query('SELECT 9007199254740991::int8 AS n')).rows).toEqual([{ n: 2 ** 53 - 1 }])
    await expect(pool.query('SELECT 9007199254740993::int8 AS n')).rejects.toThrow(RangeError)
    expect((await pool.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  })
})

describe('sessions', () => {
  test('have their role, their timeouts and keepalives of seconds, also when the URL has options', async () => {
    const own = createPool({
      role: null,
      url: database.url,
      applicationName: 'pool-test-own',
      max: 1,
      statementTimeoutMs: 1234,
      settings: { search_path: 'public, pg_temp' },
    })
    const { rows } = await own.query(
      `SELECT current_user AS role, current_setting('statement_timeout') AS statement,
              current_setting('transaction_timeout') AS transaction, current_setting('lock_timeout') AS lock,
              current_setting('tcp_keepalives_idle') AS keepalive, current_setting('search_path') AS path`,
    )
    await own.end()
    expect(rows).toEqual([
      {
        role: 'ariftly_app',
        statement: '1234ms',
        transaction: '15s',
        lock: '5s',
        keepalive: '5',
        path: 'public, pg_temp',
      },
    ])
  })
})

describe('a lost Postgres', () => {
  test('fails a query immediately when nothing listens', async () => {
    const refused = createPool({ role: null, url: 'postgres://x@127.0.0.1:1/x', applicationName: 'test', max: 1 })
    const startedMs = performance.now()
    const error: unknown = await refused.query('SELECT 1').catch((reason: unknown) => reason)
    expect(isUnavailable(error)).toBe(true)
    expect(performance.now() - startedMs).toBeLessThan(3000)
    await refused.end()
  })

  test('fails a query when the server does not answer, and the next one works when it answers again', async () => {
    const { hostname, port } = new URL(database.adminUrl)
    const proxy = await startCuttingProxy({ host: hostname, port: Number(port) })
    const url = new URL(database.adminUrl)
    url.port = String(proxy.port)
    const far = createPool({
      role: null,
      url: url.href,
      applicationName: 'test',
      max: 1,
      statementTimeoutMs: 1000,
      connectTimeoutMs: 5000,
    })
    expect((await far.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
    proxy.freeze()
    const error: unknown = await far.query('SELECT 2 AS n').catch((reason: unknown) => reason)
    expect(isUnavailable(error)).toBe(true)
    proxy.resume()
    expect((await far.query('SELECT 3 AS n')).rows).toEqual([{ n: 3 }])
    await far.end()
    await proxy.close()
  })

  test('ends neither the process nor the pool when idle and busy sessions are killed', async () => {
    const errors: Error[] = []
    const victim = createPool({
      role: null,
      url: database.adminUrl,
      applicationName: 'pool-victim',
      max: 2,
      onError: (error) => errors.push(error),
    })
    await victim.query('SELECT 1')
    const busy = withTransaction(victim, (tx) => tx.query('SELECT pg_sleep(30)')).catch((reason: unknown) => reason)
    const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pool-victim' AND query LIKE '%pg_sleep%'`
    while ((await pool.query(kill)).rowCount === 0) await new Promise(setImmediate)
    expect(isUnavailable(await busy)).toBe(true)
    expect((await victim.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pool-victim'`)
    const again = await victim.query('SELECT 1 AS n').catch(() => victim.query('SELECT 1 AS n'))
    expect(again.rows).toEqual([{ n: 1 }])
    await victim.end()
  })
})

describe('withTransaction', () => {
  test('keeps nothing of a transaction that throws', async () => {
    const outcome = withTransaction(pool, async (tx) => {
      await tx.query('UPDATE counters SET n = 99 WHERE id = 1')
      throw new Error('no')
    })
    await expect(outcome).rejects.toThrow('no')
    expect((await pool.query('SELECT n FROM counters WHERE id = 1')).rows).toEqual([{ n: 0 }])
  })

  test('runs again after a deadlock, so that both of two crossing transactions are done', async () => {
    let runs = 0
    const bothHaveOne = barrier(2)
    const cross = (first: number, second: number): Promise<void> =>
      withTransaction(pool, async (tx) => {
        runs += 1
        await tx.query('UPDATE counters SET n = n + 1 WHERE id = $1', [first])
        await bothHaveOne()
        await tx.query('UPDATE counters SET n = n + 1 WHERE id = $1', [second])
      })
    await Promise.all([cross(1, 2), cross(2, 1)])
    expect(runs).toBe(3)
    expect((await pool.query('SELECT n FROM counters ORDER BY id')).rows).toEqual([{ n: 2 }, { n: 2 }])
  })
})

/** Whether it is a fault of the store that is answered 503. */
function isUnavailable(error: unknown): boolean {
  return error instanceof StoreFault && error.retryable
}

/** Resolves for all callers once there are `count`, and for later ones immediately. */
function barrier(count: number): () => Promise<void> {
  let open: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let arrived = 0
  return () => {
    if (++arrived >= count) open()
    return opened
  }
}

describe('a store fault', () => {
  test('is what a refused query rejects with, on a pool and in a transaction, with its SQLSTATE', async () => {
    const refused = [
      pool.query('SELECT 1 / 0'),
      withTransaction(pool, (tx) => tx.query('SELECT 1 / 0')),
      pool.query(`SELECT 'Connection timeout terminated'::int`),
    ]
    const errors = await Promise.all(refused.map((query) => query.catch((reason: unknown) => reason)))
    expect(errors.map((error) => error instanceof StoreFault)).toEqual([true, true, true])
    expect(errors.map(sqlState)).toEqual(['22012', '22012', '22P02'])
    expect(errors.some(isUnavailable)).toBe(false)
  })

  test('is no error from elsewhere, with any text', async () => {
    for (const text of ['unknown parameter timeout', 'Connection terminated', 'Cannot use a pool']) {
      const thrown = new Error(text)
      const error: unknown = await withTransaction(pool, () => Promise.reject(thrown)).catch(
        (reason: unknown) => reason,
      )
      expect(error).toBe(thrown)
    }
    expect(sqlState(Object.assign(new Error('x'), { code: '57P01' }))).toBeUndefined()
  })
})

describe('a server that takes no writes', () => {
  test('is unavailable, and its connections are not used again: the next ones reach the primary', async () => {
    const name = new URL(database.adminUrl).pathname.slice(1)
    const writer = createPool({ role: null, url: database.adminUrl, applicationName: 'test-writer', max: 1 })
    const write = () => withTransaction(writer, (tx) => tx.query('CREATE TABLE written (n int)'))
    try {
      await pool.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      const error: unknown = await write().catch((reason: unknown) => reason)
      expect({ state: sqlState(error), unavailable: isUnavailable(error) }).toEqual({
        state: '25006',
        unavailable: true,
      })
      await pool.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
      await expect(write()).resolves.toBeDefined()
    } finally {
      await writer.end()
    }
  })
})
