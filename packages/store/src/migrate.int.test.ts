import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { createTestDatabase, eventually, testFolder } from '@ariftly/testkit'
import { buildPartitionIndexes } from './build-partition-indexes.ts'
import { dropExpiredEventPartitions, ensureEventPartitions } from './events/events.ts'
import { migrate, MIGRATIONS_DIR } from './migrate.ts'
import { createPool } from './pool.ts'

const DAY_MS = 86_400_000

const database = await createTestDatabase()
const owner = database.openPool({ owner: true })
const service = database.openPool()

afterAll(() => database.drop())

/** A folder with our migrations. */
function copyOfOurs(): string {
  const dir = testFolder('migrations')
  for (const file of readdirSync(MIGRATIONS_DIR)) copyFileSync(join(MIGRATIONS_DIR, file), join(dir, file))
  return dir
}

async function weeks(table: string): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT right(inhrelid::regclass::text, 8) AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
    [table],
  )
  return rows.map(({ name }) => name)
}

function mondayOf(ms: number): string {
  const day = new Date(ms)
  const monday = ms - ((day.getUTCDay() + 6) % 7) * DAY_MS
  return new Date(monday).toISOString().slice(0, 10).replaceAll('-', '')
}

describe('migrate', () => {
  test('may run twice at the same time and again, and changes nothing then', async () => {
    const tables = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`
    const before = (await owner.query(tables)).rows
    await Promise.all([migrate(database.adminUrl), migrate(database.adminUrl)])
    expect((await owner.query(tables)).rows).toEqual(before)
    expect(before.length).toBeGreaterThan(50)
  })

  test('waits with an index for an older transaction as long as it takes, beyond the limit for locks', async () => {
    await owner.query('CREATE INDEX waits ON ONLY deliveries (worker_id)')
    const lines: string[] = []
    const [session, builder] = [await owner.connect(), await owner.connect()]
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await session.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
       VALUES (uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint), 't', gen_random_uuid(), gen_random_uuid(),
               'task.created', 1, 0, 0, now())`,
    )
    const built = buildPartitionIndexes(builder, {
      log: (line) => lines.push(line),
      lockTimeoutMs: 50,
      retryLocked: (step) => step(),
    }).finally(() => builder.release(true))
    const waiting = `SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
                        AND waitstart < clock_timestamp() - interval '150 ms'`
    const waited = eventually('it waits for longer', async () => (await session.query(waiting)).rows.length > 0)
    try {
      await Promise.race([built, waited])
    } finally {
      await session.query('ROLLBACK')
      session.release()
    }
    await built
    const partitions = (await weeks('deliveries')).map((week) => `building index deliveries_p${week}_waits`)
    expect(lines).toEqual(partitions)
    await owner.query('DROP INDEX waits')
  })

  test('attaches an index that an earlier run has built, and builds one of another definition again', async () => {
    const [built = '', other = ''] = await weeks('deliveries')
    await owner.query('CREATE INDEX kept ON ONLY deliveries (worker_id)')
    await owner.query(`CREATE INDEX deliveries_p${built}_kept ON deliveries_p${built} (worker_id)`)
    await owner.query(`CREATE INDEX deliveries_p${other}_kept ON deliveries_p${other} (lease_until)`)
    const lines: string[] = []
    await migrate(database.adminUrl, { log: (line) => lines.push(line) })
    const { rows } = await owner.query(`SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'kept'::regclass`)
    expect(rows).toEqual([{ valid: true }])
    expect(lines).toContain(`building index deliveries_p${other}_kept`)
    expect(lines).not.toContain(`building index deliveries_p${built}_kept`)
    await owner.query('DROP INDEX kept')
  })

  test('sets a fill factor for deliveries in each partition, so that a new version of a row fits on its page', async () => {
    const { rows } = await owner.query<{ options: string[] | null }>(
      `SELECT DISTINCT c.reloptions AS options FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'deliveries'::regclass`,
    )
    expect(rows).toEqual([{ options: ['fillfactor=50'] }])
  })

  test('says once that another one runs, and waits for it', async () => {
    const other = await owner.connect()
    const lastTry = async () => {
      const { rows } = await other.query<{ at: string }>(
        `SELECT query_start::text AS at FROM pg_stat_activity
          WHERE application_name = 'ariftly-migrate' AND datname = current_database()`,
      )
      return rows[0]?.at
    }
    await other.query('SELECT pg_advisory_lock(4207849484)')
    const lines: string[] = []
    const migrated = migrate(database.adminUrl, { log: (line) => lines.push(line) })
    await eventually('it waits', () => lines.length > 0)
    const tried = await lastTry()
    await eventually('it tries again', async () => (await lastTry()) !== tried)
    await other.query('SELECT pg_advisory_unlock(4207849484)')
    other.release()
    await migrated
    expect(lines.filter((line) => line.includes('another migrate'))).toHaveLength(1)
  })

  test('has a session that the server ends when its machine is gone', async () => {
    await owner.query('CREATE DATABASE migrate_session')
    const url = new URL(database.adminUrl)
    url.pathname = '/migrate_session'
    const dir = copyOfOurs()
    const settings = ['tcp_keepalives_idle', 'tcp_user_timeout', 'client_connection_check_interval']
    const shown = settings.map((name) => `current_setting('${name}') AS ${name}`).join()
    writeFileSync(join(dir, '9999_session.sql'), `CREATE TABLE session AS SELECT ${shown}`)
    try {
      await migrate(url.href, { dir })
      const fresh = createPool({ role: null, url: url.href, applicationName: 'test', max: 1 })
      const { rows } = await fresh.query('SELECT * FROM session')
      await fresh.end()
      expect(rows).toEqual([
        { tcp_keepalives_idle: '5', tcp_user_timeout: '15000', client_connection_check_interval: '5s' },
      ])
    } finally {
      await owner.query('DROP DATABASE migrate_session WITH (FORCE)')
    }
  })

  test('creates all from nothing, twice at the same time', async () => {
    await owner.query('CREATE DATABASE migrate_from_nothing')
    const url = new URL(database.adminUrl)
    url.pathname = '/migrate_from_nothing'
    try {
      await Promise.all([migrate(url.href), migrate(url.href)])
      const fresh = createPool({ role: null, url: url.href, applicationName: 'test', max: 1 })
      const { rows } = await fresh.query<{ name: string }>('SELECT name FROM pgmigrations ORDER BY name')
      await fresh.end()
      const files = readdirSync(MIGRATIONS_DIR).map((file) => file.replace(/\.sql$/, ''))
      expect(rows.map(({ name }) => name)).toEqual(files.toSorted())
    } finally {
      await owner.query('DROP DATABASE migrate_from_nothing WITH (FORCE)')
    }
  })
})

describe('the role of the services', () => {
  test('is what a session of theirs has', async () => {
    const { rows } = await service.query('SELECT current_user AS role, session_user <> current_user AS switched')
    expect(rows).toEqual([{ role: 'ariftly_app', switched: true }])
  })

  test.each([
    ['change an event', `UPDATE events SET type = 'task.failed'`],
    ['delete events', 'DELETE FROM events'],
    ['empty the table', 'TRUNCATE events'],
    ['drop the table', 'DROP TABLE events'],
    ['create a table', 'CREATE TABLE mine (n int)'],
    ['call what creates partitions of any table', `SELECT create_weekly_partitions('events', 0, 0)`],
    ['call what drops partitions of any table', `SELECT drop_weekly_partitions('events', 9e15::bigint)`],
    ['delete API keys', 'DELETE FROM api_keys'],
    ['open an epoch', `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (1, 'events', 'c', 't')`],
    ['write its own changes into the feed of keys', `UPDATE api_key_changes SET kind = 'revoked'`],
  ])('cannot %s', async (_what, statement) => {
    await expect(service.query(statement)).rejects.toMatchObject({ sqlState: '42501' })
  })

  test('cannot change events in a partition either', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass LIMIT 1`,
    )
    await expect(service.query(`DELETE FROM ${rows[0]?.name}`)).rejects.toMatchObject({ sqlState: '42501' })
  })
})

describe('partitions', () => {
  test('exist for the whole accepted window after the first migration, one a week from Monday', async () => {
    const now = Date.now()
    const expected = new Set<string>()
    for (let ms = now - 90 * DAY_MS; ms <= now + 14 * DAY_MS; ms += DAY_MS) expected.add(mondayOf(ms))
    expect(await weeks('events')).toEqual([...expected])
  })

  test('are made for the given range and only within the window that the rule allows', async () => {
    const now = Date.now()
    const made = await ensureEventPartitions(service, { minMs: 0, maxMs: now + 1000 * DAY_MS })
    expect(made.created).toBeGreaterThan(0)
    const all = await weeks('events')
    expect(all[0]).toBe(mondayOf(now - 98 * DAY_MS))
    expect(all.at(-1)).toBe(mondayOf(now + 21 * DAY_MS))
    const again = await ensureEventPartitions(service, { minMs: 0, maxMs: now + 1000 * DAY_MS })
    expect(again.created).toBe(0)
    await service.query('SELECT ensure_delivery_partitions(0, $1)', [now])
    expect((await weeks('deliveries'))[0]).toBe(mondayOf(now - 35 * DAY_MS))
    expect(await weeks('attempts')).toEqual(await weeks('deliveries'))
  })

  test('are made once when many ask at the same time', async () => {
    await owner.query(`DROP TABLE events_p${mondayOf(Date.now() + 14 * DAY_MS)}`)
    const weeksAhead = { minMs: Date.now(), maxMs: Date.now() + 14 * DAY_MS }
    const ask = async (): Promise<number> => (await ensureEventPartitions(service, weeksAhead)).created
    const made = await Promise.all([ask(), ask(), ask(), ask()])
    expect(made.filter((count) => count > 0)).toEqual([1])
  })

  test('are not dropped before their time', async () => {
    const before = await weeks('events')
    expect(await dropExpiredEventPartitions(service)).toEqual([])
    expect(await weeks('events')).toEqual(before)
  })

  test('are dropped when their end is older than 90 days, the retention of the log and a day', async () => {
    const now = Date.now()
    const old = mondayOf(now - 112 * DAY_MS)
    await owner.query(`SELECT create_weekly_partitions('events', $1, $1)`, [now - 112 * DAY_MS])
    await owner.query(`SELECT create_weekly_partitions('events', $1, $1)`, [now - 97 * DAY_MS])
    expect(await dropExpiredEventPartitions(service)).toEqual([`events_p${old}`])
  })

  test('of deliveries are dropped 35 days after their end, and unfinished deliveries are counted', async () => {
    const week = 49 * DAY_MS
    const ms = Date.now() - week
    await owner.query(
      `SELECT create_weekly_partitions('deliveries', $1, $1), create_weekly_partitions('attempts', $1, $1)`,
      [ms],
    )
    await owner.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
       VALUES (uuid_v7_floor($1), 't', gen_random_uuid(), gen_random_uuid(), 'task.created', 1, 0, 0, now())`,
      [ms],
    )
    const name = mondayOf(ms)
    const { rows } = await service.query('SELECT dropped, expired FROM drop_expired_delivery_partitions()')
    expect(rows).toEqual([{ dropped: [`attempts_p${name}`, `deliveries_p${name}`], expired: 1 }])
  })
})
