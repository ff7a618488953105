import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createKafka, createTopics } from '@ariftly/kafka'
import {
  byForm,
  createRandom,
  createWorld,
  eventually,
  randomSeed,
  silentLog,
  stackAddresses,
  startKafkaProxy,
  startOwnKafka,
  startReceiver,
  type KafkaProxy,
  type Receiver,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { runProjectionCommand } from '../projection/run-projection-command.ts'
import { mintEventId } from '../support/client-event-id.ts'
import { openStream } from '../support/read-stream.ts'
import { SHORT_TIMES } from './fleet.ts'
import {
  LOG_USERS,
  logStateOf,
  startOneProcess,
  startProcesses,
  type Installation,
  type StartInstallation,
} from './log-users.ts'
import { countRecords } from './observe.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, unexpected, WEBHOOKS, type Run } from './run.ts'
import { expectAllHeld } from './verdict.ts'

const PARTITIONS = 4
const EVENTS_PER_S = 40
const FOREIGN_MS = byForm({ short: 4_000, long: 10_000 })
const SOON = { timeoutMs: 60_000, everyMs: 100 }
const USERS = Object.keys(LOG_USERS) as (keyof typeof LOG_USERS)[]

let foreign: Awaited<ReturnType<typeof startOwnKafka>>
let houses: readonly House[] = []
const over = new AbortController()

beforeAll(async () => {
  foreign = await startOwnKafka()
  houses = await Promise.all([startHouse('processes', startProcesses), startHouse('standalone', startOneProcess)])
}, 180_000)

afterAll(async () => {
  over.abort()
  await Promise.all(houses.map((house) => house.close()))
  await foreign?.close()
}, 60_000)

test('a foreign cluster behind the same name is neither read nor written, and all goes on when it is gone', async () => {
  await Promise.all(houses.map(foreignForAWhile))
}, 300_000)

test('a broker that was wiped is neither read nor written until an operator adopts its log', async () => {
  await Promise.all(houses.map(wiped))
}, 300_000)

async function foreignForAWhile(house: House): Promise<void> {
  const { installation, world, receiver, db, proxy } = house
  const run = await startRun({
    world,
    receiver,
    ingest: () => installation.urls.ingest,
    api: () => installation.urls.api,
    gateways: () => [installation.urls['stream-gateway']],
    random: createRandom(randomSeed('a foreign cluster')),
    clients: 3,
    eventsPerS: EVENTS_PER_S,
    streams: STREAMS,
    webhooks: WEBHOOKS,
    roamMs: 600_000,
    signal: over.signal,
  })
  await goesOn(run)
  proxy.leadToBroker(foreign.addresses.kafka)
  const ledMs = performance.now()
  await allSay(house, IS_WRONG)
  await isRefused(house)
  await sleep(ledMs + FOREIGN_MS - performance.now())
  await isRefused(house)
  proxy.leadToBroker(stackAddresses().kafka)
  await allSay(house, IS_RIGHT)
  await goesOn(run)

  const reports = await Promise.all(run.clients.map((client) => client.finish()))
  const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 60_000, settleMs: 200, say })
  expect(unexpected(run, reports)).toEqual([])
  expectAllHeld(observation)
  expect(await countRecords([foreign.addresses.kafka], world.topics.topic)).toBe(0)
}

async function wiped(house: House): Promise<void> {
  const { world, receiver, proxy } = house
  const webhook = { url: receiver.url, events: ['task.complete'], secret: 'secret of the wiped log' }
  expect((await request(house, 'api', '/v1/webhooks', JSON.stringify(webhook))).status).toBe(201)
  const before = mintEventId(Date.now())
  expect((await post(house, before)).status).toBe(202)
  await isListed(house, before)
  proxy.leadToBroker(foreign.addresses.kafka)
  await allSay(house, IS_WRONG)
  await isRefused(house)
  expect(await countRecords([foreign.addresses.kafka], world.topics.topic)).toBe(0)

  const env = { ...world.env, KAFKA_BROKERS: `127.0.0.1:${proxy.port}` }
  expect(await runProjectionCommand(env, 'adopt-log')).toEqual({
    code: 0,
    output: expect.stringContaining('Opened epoch 2'),
  })
  await allSay(house, IS_RIGHT)
  const stream = await openStream((signal) => request(house, 'stream-gateway', '/v1/events/stream', undefined, signal))
  const after = mintEventId(Date.now())
  await eventually(async () => (await post(house, after)).status === 202, SOON)
  await isListed(house, after)
  await isListed(house, before)
  await eventually(() => stream.messages.some(({ data }) => data.includes(after)), SOON)
  await eventually(() => receiver.requests.some(({ headers }) => headers['webhook-id'] === after), SOON)
  await stream.close()
}

/** An installation on a world of its own, which reaches Kafka through a proxy. */
interface House {
  readonly name: string
  readonly world: World
  readonly proxy: KafkaProxy
  readonly receiver: Receiver
  readonly db: pg.Pool
  readonly installation: Installation
  readonly apiKey: string
  close(): Promise<void>
}

/** The foreign cluster has topics of the same names. */
async function startHouse(name: string, start: StartInstallation): Promise<House> {
  const dataDir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'wrong-log-'))
  const world = await createWorld({ partitions: PARTITIONS, env: { ...SHORT_TIMES, DATA_DIR: dataDir } })
  const proxy = await startKafkaProxy(stackAddresses().kafka, foreign.addresses.kafka)
  const client = createKafka({ brokers: [foreign.addresses.kafka], clientId: 'test', log: silentLog })
  await createTopics(client, { ...world.topics, partitions: PARTITIONS, replication: 1 })
  await client.close()
  const receiver = await startReceiver()
  const db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  const installation = await start({ ...world.env, KAFKA_BROKERS: `127.0.0.1:${proxy.port}` })
  const apiKey = await world.apiKey('north')
  return {
    name,
    world,
    proxy,
    receiver,
    db,
    installation,
    apiKey,
    async close() {
      await installation.stop()
      await db.end()
      await receiver.close()
      await proxy.close()
      await world.close()
    },
  }
}

const IS_WRONG = { ready: false, body: expect.stringContaining('Kafka cluster'), fault: 1 }
const IS_RIGHT = { ready: true, body: expect.stringContaining('ok'), fault: 0 }

/** Each service that uses the log says so in its readiness and its metric. */
async function allSay({ name, installation }: House, state: object): Promise<void> {
  for (const user of USERS) {
    await eventually(async () => {
      expect({ name, user, ...(await logStateOf(installation, user)) }).toEqual({ name, user, ...state })
      return true
    }, SOON)
  }
}

/** A post gets 503, with its id. */
async function isRefused(house: House): Promise<void> {
  const id = mintEventId(Date.now())
  const refused = await post(house, id)
  expect([refused.status, await refused.json()]).toEqual([
    503,
    expect.objectContaining({ events: [expect.objectContaining({ id, status: 'retry' })] }),
  ])
}

async function isListed(house: House, id: string): Promise<void> {
  await eventually(async () => (await request(house, 'api', `/v1/events/${id}`)).status === 200, SOON)
}

async function post(house: House, id: string): Promise<Response> {
  const event = { type: 'task.complete', id, task_id: 'task_1', data: { artifact_count: 1, mark: id } }
  return await request(house, 'ingest', '/v1/events', JSON.stringify(event))
}

async function request(
  { installation, apiKey }: House,
  service: keyof Installation['urls'],
  path: string,
  ...[body, signal]: readonly [body?: string | undefined, signal?: AbortSignal]
): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  return await fetch(`${installation.urls[service]}${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually(() => run.acknowledged.size > before + EVENTS_PER_S, SOON)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
