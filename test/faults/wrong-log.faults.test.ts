import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
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

beforeAll(async () => {
  foreign = await startOwnKafka()
}, 60_000)

afterAll(async () => {
  await foreign?.close()
}, 30_000)

const INSTALLATIONS: readonly (readonly [string, StartInstallation])[] = [
  ['services as processes', startProcesses],
  ['standalone', startOneProcess],
]

describe.each(INSTALLATIONS)('%s', (_name, start) => {
  let world: World
  let proxy: KafkaProxy
  let receiver: Receiver
  let db: pg.Pool
  let installation: Installation
  let apiKey: string
  const over = new AbortController()

  beforeAll(async () => {
    const own = stackAddresses().kafka
    const dataDir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'wrong-log-'))
    world = await createWorld({ partitions: PARTITIONS, env: { ...SHORT_TIMES, DATA_DIR: dataDir } })
    proxy = await startKafkaProxy(own, foreign.addresses.kafka)
    const client = createKafka({ brokers: [foreign.addresses.kafka], clientId: 'test', log: silentLog })
    await createTopics(client, { ...world.topics, partitions: PARTITIONS, replication: 1 })
    await client.close()
    receiver = await startReceiver()
    db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
    installation = await start({ ...world.env, KAFKA_BROKERS: `127.0.0.1:${proxy.port}` })
    apiKey = await world.apiKey('north')
  }, 120_000)

  afterAll(async () => {
    over.abort()
    await installation?.stop()
    await db?.end()
    await receiver?.close()
    await proxy?.close()
    await world?.close()
  }, 60_000)

  test('a foreign cluster behind the same name is neither read nor written, and all goes on when it is gone', async () => {
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
    await allSay({ ready: false, body: expect.stringContaining('Kafka cluster'), fault: 1 })
    await isRefused()
    await sleep(ledMs + FOREIGN_MS - performance.now())
    await isRefused()
    proxy.leadToBroker(stackAddresses().kafka)
    await allSay({ ready: true, body: expect.stringContaining('ok'), fault: 0 })
    await goesOn(run)

    const reports = await Promise.all(run.clients.map((client) => client.finish()))
    const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 60_000, settleMs: 200, say })
    expect(unexpected(run, reports)).toEqual([])
    expectAllHeld(observation)
    expect(await countRecords([foreign.addresses.kafka], world.topics.topic)).toBe(0)
  }, 240_000)

  test('a broker that was wiped is neither read nor written until an operator adopts its log', async () => {
    const webhook = { url: receiver.url, events: ['task.complete'], secret: 'secret of the wiped log' }
    expect((await request('api', '/v1/webhooks', JSON.stringify(webhook))).status).toBe(201)
    const before = mintEventId(Date.now())
    expect((await post(before)).status).toBe(202)
    await isListed(before)
    proxy.leadToBroker(foreign.addresses.kafka)
    await allSay({ ready: false, body: expect.stringContaining('Kafka cluster'), fault: 1 })
    await isRefused()
    expect(await countRecords([foreign.addresses.kafka], world.topics.topic)).toBe(0)

    const env = { ...world.env, KAFKA_BROKERS: `127.0.0.1:${proxy.port}` }
    expect(await runProjectionCommand(env, 'adopt-log')).toEqual({
      code: 0,
      output: expect.stringContaining('Opened epoch 2'),
    })
    await allSay({ ready: true, body: expect.stringContaining('ok'), fault: 0 })
    const stream = await openStream((signal) => request('stream-gateway', '/v1/events/stream', undefined, signal))
    const after = mintEventId(Date.now())
    await eventually(async () => (await post(after)).status === 202, SOON)
    await isListed(after)
    await isListed(before)
    await eventually(() => stream.messages.some(({ data }) => data.includes(after)), SOON)
    await eventually(() => receiver.requests.some(({ headers }) => headers['webhook-id'] === after), SOON)
    await stream.close()
  }, 240_000)

  async function allSay(state: object): Promise<void> {
    for (const user of USERS) {
      await eventually(async () => {
        expect({ user, ...(await logStateOf(installation, user)) }).toEqual({ user, ...state })
        return true
      }, SOON)
    }
  }

  /** A post gets 503 at once, with its id. */
  async function isRefused(): Promise<void> {
    const id = mintEventId(Date.now())
    const refused = await post(id)
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ events: [expect.objectContaining({ id, status: 'retry' })] }),
    ])
  }

  async function isListed(id: string): Promise<void> {
    await eventually(async () => (await request('api', `/v1/events/${id}`)).status === 200, SOON)
  }

  async function post(id: string): Promise<Response> {
    const event = { type: 'task.complete', id, task_id: 'task_1', data: { artifact_count: 1, mark: id } }
    return await request('ingest', '/v1/events', JSON.stringify(event))
  }

  async function request(
    service: keyof Installation['urls'],
    path: string,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    return await fetch(`${installation.urls[service]}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body }),
      ...(signal === undefined ? {} : { signal }),
    })
  }
})

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually(() => run.acknowledged.size > before + EVENTS_PER_S, SOON)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
