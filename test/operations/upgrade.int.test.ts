import { copyFileSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPool, migrate, MIGRATIONS_DIR, type Pool } from '@ariftly/store'
import { createWorld, startServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const
const OURS = readdirSync(MIGRATIONS_DIR).toSorted()
const LAST = (OURS.at(-1) ?? '').replace(/\.sql$/, '')

/** A folder with some of our migrations. */
function migrationsOf(files: readonly string[]): string {
  const dir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'migrations-'))
  for (const file of files) copyFileSync(join(MIGRATIONS_DIR, file), join(dir, file))
  return dir
}

let world: World
let admin: Pool

beforeAll(async () => {
  const dataDir = join(mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'upgrade-')), 'data')
  mkdirSync(dataDir)
  world = await createWorld({ env: { DATA_DIR: dataDir, WEBHOOK_LEASE_MS: '4000', WEBHOOK_TIMEOUT_MS: '2000' } })
  admin = createPool({ url: world.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 4 })
}, 60_000)
afterAll(async () => {
  await admin?.end()
  await world?.close()
}, 30_000)

describe('on a schema that is older than the code', () => {
  const name = `test_older_${process.pid}`
  let url: string

  beforeAll(async () => {
    await admin.query(`CREATE DATABASE ${name}`)
    url = Object.assign(new URL(world.env['DATABASE_ADMIN_URL'] ?? ''), { pathname: `/${name}` }).href
    await migrate(url, { dir: migrationsOf(OURS.slice(0, -1)) })
  }, 30_000)
  afterAll(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`))

  test.each(SERVICES)('%s ends at once, and says which migration is lacking', async (service) => {
    const env = { ...world.env, DATABASE_URL: url, LOG_LEVEL: 'error' }
    const process = await startServiceProcess(service, env, { untilReady: false })
    expect(await process.exited).toBe(1)
    expect(process.output()).toContain(`run migrate first. It lacks ${LAST}.`)
  })

  test('the migration keeps what is there, run by two at once, and the services start', async () => {
    const older = createPool({ url, applicationName: 'test', max: 1 })
    await older.query(`INSERT INTO log_epochs (epoch, topic, cluster_id) VALUES (7, 'kept', 'cluster')`)
    await Promise.all([migrate(url), migrate(url)])
    const { rows } = await older.query('SELECT epoch, topic FROM log_epochs')
    const { rows: had } = await older.query<{ name: string }>('SELECT name FROM pgmigrations ORDER BY id')
    await older.end()
    expect(rows).toEqual([{ epoch: 7, topic: 'kept' }])
    expect(had.map((row) => `${row.name}.sql`)).toEqual(OURS)
    const api = await startServiceProcess('api', { ...world.env, DATABASE_URL: url })
    api.kill('SIGTERM')
    expect(await api.exited).toBe(0)
  }, 40_000)
})
