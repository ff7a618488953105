import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, type LocalStack } from '@ariftly/local-stack'
import {
  createTemplateDatabase,
  createWorld,
  eventually,
  openStream,
  redisCommand,
  stackEnvironment,
  startReceiver,
  type OpenStream,
  type Receiver,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { createPool } from '@ariftly/store'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runProjectionCommand } from '../projection/run-projection-command.ts'
import { archivingSettings, restoreBaseBackup, START_BACKUP, STOP_BACKUP, takeBaseBackup } from './base-backup.ts'
import { startSteadyLoad } from './steady-load.ts'

let folder: string
let stack: LocalStack
let restored: LocalStack
let world: World
let system: ServiceProcess
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-restore-'))
  mkdirSync(join(folder, 'archive'), { mode: 0o777 })
  stack = await startStack({
    dataDir: join(folder, 'first'),
    ephemeral: true,
    env: stackEnvironment(),
    postgresSettings: archivingSettings(join(folder, 'archive')),
  })
  await createTemplateDatabase(stack.addresses.postgres)
  const env = { WEBHOOK_RETRY_SCHEDULE_S: '1,1,1,1', WEBHOOK_WORKER_DEAD_MS: '4000' }
  world = await createWorld({ addresses: stack.addresses, env: { ...env, DATA_DIR: join(folder, 'system') } })
  system = await world.startService('standalone')
  receiver = await startReceiver()
})

afterAll(async () => {
  await receiver?.close()
  await world?.close().catch(() => undefined) // Its Postgres was removed on purpose.
  await restored?.close()
  await stack?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function call(apiKey: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  return await fetch(system.url + path, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
}

async function subscribe(apiKey: string): Promise<string> {
  const answer = await call(apiKey, '/v1/webhooks', { url: receiver.url, events: ['*'] })
  return ((await answer.json()) as { id: string }).id
}

function stream(apiKey: string, lastEventId?: string): Promise<OpenStream> {
  const headers = {
    authorization: `Bearer ${apiKey}`,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  }
  return openStream((signal) => fetch(`${system.url}/v1/events/stream?envelope=true`, { headers, signal }))
}

const idsOf = ({ messages }: OpenStream) => messages.map(({ data }) => (JSON.parse(data) as { id: string }).id)
const deliveredIds = () => receiver.requests.map(({ headers }) => String(headers['webhook-id']))

/** Unpacks the backup into a new place, starts Postgres there and the system on it; gives the system's environment. */
async function startOnBackup(file: string): Promise<Readonly<Record<string, string>>> {
  const dataDir = join(folder, 'second')
  const place = join(dataDir, 'postgres')
  mkdirSync(place, { recursive: true, mode: 0o711 })
  await restoreBaseBackup(file, join(folder, 'archive'), join(place, 'data'))
  writeFileSync(join(place, 'initialised'), '') // To the local stack: there is a cluster, make none.
  restored = await startStack({ dataDir, ephemeral: true, env: stackEnvironment(), parts: ['postgres'] })
  const { port } = new URL(restored.addresses.postgres)
  const moved = (url = '') => Object.assign(new URL(url), { port }).href
  const { DATABASE_URL, DATABASE_ADMIN_URL } = world.env
  const env = { ...world.env, DATABASE_URL: moved(DATABASE_URL), DATABASE_ADMIN_URL: moved(DATABASE_ADMIN_URL) }
  system = await world.startService('standalone', env)
  return env
}

/** How often each id is in a list. */
function countById(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

test('a database restored from a backup taken under load ends up with every event, stream and delivery', async () => {
  const apiKey = await world.apiKey('default')
  const before = await subscribe(apiKey)
  const open = await stream(apiKey)
  const load = startSteadyLoad(system.url, apiKey)
  await eventually('300 events are delivered', () => load.accepted.length >= 300 && receiver.requests.length >= 300)
  const finished = new Set(deliveredIds().slice(0, 150))
  const resumeFrom = open.messages.at(-1)?.id

  const file = join(folder, 'base.tar')
  await takeBaseBackup(world.env['DATABASE_ADMIN_URL'] ?? '', join(folder, 'first/postgres/data'), file)
  const inBackup = load.accepted.length
  const after = await subscribe(apiKey)
  await eventually('300 more events are accepted', () => load.accepted.length >= inBackup + 300)
  await load.stop()
  await eventually('all events are delivered', () => new Set(deliveredIds()).size === load.accepted.length)
  await eventually('all events are streamed', () => idsOf(open).length === load.accepted.length)
  expect(load.refused).toEqual([])
  const lastSeen = open.messages.at(-1)?.id
  const shown = idsOf(open)

  // The disaster: the database and all processes are lost, Redis is empty; Kafka is unchanged.
  system.kill('SIGKILL')
  await Promise.all([system.exited, open.close(), stack.postgres?.kill('SIGKILL')])
  await redisCommand(stack.redis?.port ?? 0, 'FLUSHALL')
  const deliveredBefore = receiver.requests.length
  const env = await startOnBackup(file)

  // Table = log, and no event is missing.
  const pool = createPool({ role: null, url: env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 1 })
  const countEvents = async () => (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM events')).rows[0]?.n
  await eventually('all events are projected', async () => (await countEvents()) === load.accepted.length)
  await pool.end()
  const verified = await runProjectionCommand(env, 'verify')
  expect(verified).toEqual({
    code: 0,
    output: expect.stringContaining(`${load.accepted.length} events compared, 0 diff`),
  })

  // Streams continue where they were: after the backup, and before it.
  const [resumed, fromBefore] = await Promise.all([stream(apiKey, lastSeen), stream(apiKey, resumeFrom)])
  const more = startSteadyLoad(system.url, apiKey)
  await eventually('50 events are accepted', () => more.accepted.length >= 50)
  await more.stop()
  await eventually('the new events are streamed', () => idsOf(resumed).length >= more.accepted.length)
  const unseen = shown.slice(open.messages.findIndex(({ id }) => id === resumeFrom) + 1)
  await eventually('unseen and new events', () => idsOf(fromBefore).length >= unseen.length + more.accepted.length)
  expect(idsOf(resumed).toSorted()).toEqual(more.accepted.toSorted())
  expect(idsOf(fromBefore).toSorted()).toEqual([...unseen, ...more.accepted].toSorted())
  await Promise.all([resumed.close(), fromBefore.close()])

  // Webhooks: deliveries after the backup are sent again with their ids, deliveries that ended long before are not, none is missing.
  const all = new Set([...load.accepted, ...more.accepted])
  await eventually('all events are delivered', () => new Set(deliveredIds()).size === all.size)
  const again = () => countById(deliveredIds().slice(deliveredBefore))
  await eventually('all lost deliveries', () => load.accepted.slice(inBackup).every((id) => again().has(id)))
  expect(new Set(deliveredIds())).toEqual(all)
  expect([...again().keys()].filter((id) => finished.has(id))).toEqual([])

  // Lost is what only the database knew: a webhook that was made after the backup.
  expect((await call(apiKey, `/v1/webhooks/${before}`)).status).toBe(200)
  expect((await call(apiKey, `/v1/webhooks/${after}`)).status).toBe(404)
}, 240_000)

test('the operators read the very statements of this test', () => {
  const page = readFileSync('docs/operations/backup.md', 'utf8')
  const settings = archivingSettings('$ARCHIVE')
  const said = [START_BACKUP, STOP_BACKUP, ...Object.entries(settings).map(([name, value]) => `${name} = '${value}'`)]
  expect(said.filter((text) => !page.includes(text))).toEqual([])
})
