import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPool, migrate, MIGRATIONS_DIR, type Pool } from '@ariftly/store'
import { createWorld, eventually, testFolder, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSteadyLoad } from './steady-load.ts'

/** Pause between two lists. */
const EVERY_MS = 20
const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const
const OURS = readdirSync(MIGRATIONS_DIR).toSorted()

/** The next release as it may be: every table that services write gets a column, in the order in which they lock them. */
const NEXT = `
  ALTER TABLE api_keys ADD COLUMN of_the_next_release text;
  ALTER TABLE projection_offsets ADD COLUMN of_the_next_release text NOT NULL DEFAULT '';
  ALTER TABLE events ADD COLUMN of_the_next_release text;
  ALTER TABLE webhooks ADD COLUMN of_the_next_release text;
  ALTER TABLE deliveries ADD COLUMN of_the_next_release integer NOT NULL DEFAULT 0;
  ALTER TABLE attempts ADD COLUMN of_the_next_release text;
`

/** A folder with some of our migrations, and one of the next release. */
function migrationsOf(files: readonly string[], next?: string): string {
  const dir = testFolder('migrations')
  for (const file of files) copyFileSync(join(MIGRATIONS_DIR, file), join(dir, file))
  if (next !== undefined) writeFileSync(join(dir, '9999_next_release.sql'), next)
  return dir
}

let world: World
let admin: Pool

beforeAll(async () => {
  const dataDir = join(testFolder('upgrade'), 'data')
  mkdirSync(dataDir)
  world = await createWorld({ env: { DATA_DIR: dataDir, WEBHOOK_TIMEOUT_MS: '2000' } })
  admin = createPool({ role: null, url: world.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 4 })
})
afterAll(async () => {
  await admin?.end()
  await world?.close()
})

describe('on a database that is not migrated', () => {
  const name = `test_older_${process.pid}`
  let url: string

  beforeAll(async () => {
    await admin.query(`CREATE DATABASE ${name}`)
    url = Object.assign(new URL(world.env['DATABASE_ADMIN_URL'] ?? ''), { pathname: `/${name}` }).href
  })
  afterAll(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`))

  test.each(SERVICES)('%s ends immediately, and names the missing migrations', async (service) => {
    const env = { DATABASE_URL: url, LOG_LEVEL: 'error' }
    const process = await world.startService(service, env, { untilReady: false })
    expect(await process.exited).toBe(1)
    expect(process.output()).toContain(
      `run migrate first. Missing: ${OURS.map((file) => file.replace(/\.sql$/, '')).join(', ')}.`,
    )
  })

  test('a migration to the next release keeps all data, run by two processes together, and the services start', async () => {
    const older = createPool({ role: null, url, applicationName: 'test', max: 1 })
    await migrate(url)
    await older.query(
      `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (7, 'kept', 'cluster', 'topic')`,
    )
    const dir = migrationsOf(OURS, NEXT)
    await Promise.all([migrate(url, { dir }), migrate(url, { dir })])
    const { rows } = await older.query('SELECT epoch, topic FROM log_epochs')
    const { rows: had } = await older.query<{ name: string }>('SELECT name FROM pgmigrations ORDER BY id')
    await older.end()
    expect(rows).toEqual([{ epoch: 7, topic: 'kept' }])
    expect(had.map((row) => `${row.name}.sql`)).toEqual(readdirSync(dir).toSorted())
    const api = await world.startService('api', { DATABASE_URL: url })
    api.kill('SIGTERM')
    expect(await api.exited).toBe(0)
  })
})

describe('under load', () => {
  let system: ServiceProcess
  const atEnd: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    system = await world.startService('standalone')
  })
  afterAll(async () => {
    for (const end of atEnd) await end()
  })

  test('the next release migrates while a long transaction delays it, no request fails, and this release still works afterwards', async () => {
    const apiKey = await world.apiKey('default')
    const headers = { authorization: `Bearer ${apiKey}` }
    const load = startSteadyLoad(system.url, apiKey)
    const lists = startListing(`${system.url}/v1/events?limit=5`, headers)
    const reader = await admin.connect()
    atEnd.push(
      () => load.stop(),
      () => lists.stop(),
      async () => reader.release(),
    )
    await reader.query('BEGIN')
    await reader.query('SELECT count(*) FROM events')
    const dir = migrationsOf(OURS, NEXT)
    const steps: string[] = []
    const url = world.env['DATABASE_ADMIN_URL'] ?? ''
    const migrateNext = () => migrate(url, { dir, log: (step) => steps.push(step) })
    const migrating = Promise.all([migrateNext(), migrateNext()])
    atEnd.push(() => migrating)
    await eventually('2 repeated steps', () => steps.filter((step) => step.includes('trying again')).length >= 2)
    await reader.query('COMMIT')
    await migrating
    const soFar = load.accepted.length
    await eventually('100 more events and 20 lists', () => load.accepted.length >= soFar + 100 && lists.answered() > 20)
    await Promise.all([load.stop(), lists.stop()])
    expect({ posts: load.refused, lists: lists.failed }).toEqual({ posts: [], lists: [] })
    await eventually('all events are projected', async () => (await countEvents()) === load.accepted.length)

    // A process of this release that starts on the schema of the next one.
    const api = await world.startService('api')
    const page = (await (await fetch(`${api.url}/v1/events?limit=500`, { headers })).json()) as { data: object[] }
    expect(page.data).toHaveLength(Math.min(500, load.accepted.length))
  })
})

async function countEvents(): Promise<number> {
  const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM events')
  return rows[0]?.n ?? 0
}

/** Asks for a list again and again, and keeps every answer but 200. */
function startListing(url: string, headers: Readonly<Record<string, string>>) {
  const ending = new AbortController()
  const failed: string[] = []
  let answered = 0

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const answer = await fetch(url, { headers }).catch(
        (error: unknown) => new Response(String(error), { status: 599 }),
      )
      const text = await answer.text()
      answered += 1
      if (answer.status !== 200) failed.push(`${answer.status} ${text}`)
      await sleep(EVERY_MS)
    }
  }

  const running = run()
  return {
    failed,
    answered: () => answered,
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
