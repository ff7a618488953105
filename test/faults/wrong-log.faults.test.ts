import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTopics, type KafkaClient } from '@ariftly/kafka'
import {
  byForm,
  eventually,
  stackAddresses,
  startKafkaProxy,
  startOwnKafka,
  withClient,
  type KafkaProxy,
  type TestTopics,
} from '@ariftly/testkit'
import { runProjectionCommand } from '../projection/run-projection-command.ts'
import { mintEventId } from '../support/client-event-id.ts'
import { startInstallation, startOneProcess, startProcesses, type Installation } from './installation.ts'
import { LOG_USERS, logStateOf } from './log-users.ts'
import { countRecords } from './observe.ts'
import type { Run } from './run.ts'

const PARTITIONS = 4
const EVENTS_PER_S = 40
const FOREIGN_MS = byForm({ short: 4_000, long: 10_000 })
const USERS = Object.keys(LOG_USERS) as (keyof typeof LOG_USERS)[]
const READY = { ready: true, body: expect.stringContaining('ok'), fault: 0 }

/** An installation, and the proxy by which it reaches Kafka. */
interface Behind extends Installation {
  readonly proxy: KafkaProxy
}

let foreign: Awaited<ReturnType<typeof startOwnKafka>>
let all: readonly Behind[] = []

beforeAll(async () => {
  foreign = await startOwnKafka()
  all = await Promise.all([
    startBehindProxy('services as processes', startProcesses),
    startBehindProxy('standalone', startOneProcess),
  ])
}, 180_000)

afterAll(async () => {
  await Promise.all(all.map((each) => each.stop()))
  await foreign?.close()
})

test('another cluster with the same name is neither read nor written, and all continues when the right one is back', async () => {
  await forAll(async (each) => {
    const run = await each.startRun({ clients: 3, eventsPerS: EVENTS_PER_S })
    await goesOn(run)
    each.proxy.leadToBroker(foreign.addresses.kafka)
    const ledMs = performance.now()
    await allRefuse(each, 'Kafka cluster')
    await isRefused(each)
    await sleep(ledMs + FOREIGN_MS - performance.now())
    await isRefused(each)
    each.proxy.leadToBroker(stackAddresses().kafka)
    await allSay(each, () => READY)
    await goesOn(run)
    await each.allHeld(run)
    expect(await recordsOf(each)).toBe(0)
  })
}, 240_000)

test('a broker that was wiped is neither read nor written until an operator adopts its log', async () => {
  await forAll(async (each) => {
    const webhook = { url: each.receiver.url, events: ['task.complete'], secret: 'secret of the wiped log' }
    expect((await each.request('api', '/v1/webhooks', JSON.stringify(webhook))).status).toBe(201)
    const before = mintEventId(Date.now())
    expect((await post(each, before)).status).toBe(202)
    await isListed(each, before)
    each.proxy.leadToBroker(foreign.addresses.kafka)
    await allRefuse(each, 'Kafka cluster')
    await isRefused(each)
    expect(await recordsOf(each)).toBe(0)
    await adoptLog(each, 2)
    await comesOut(each)
    await isListed(each, before)
  })
}, 240_000)

test('a topic that is deleted and made again is neither read nor written until an operator adopts it', async () => {
  await forAll(async (each) => {
    const { topics } = each.world
    await withClient(foreign.addresses.kafka, async (client) => {
      await deleteTopics(client, topics)
      await createTopics(client, { ...topics, partitions: PARTITIONS, replication: 1 })
    })
    await allRefuse(each, 'has the id')
    await isRefused(each)
    expect(await recordsOf(each)).toBe(0)
    await adoptLog(each, 3)
    await comesOut(each)
  })
}, 240_000)

async function startBehindProxy(name: string, start: typeof startOneProcess): Promise<Behind> {
  const proxy = await startKafkaProxy(stackAddresses().kafka, foreign.addresses.kafka)
  const proxied = { KAFKA_BROKERS: `127.0.0.1:${proxy.port}` }
  const installation = await startInstallation({
    name,
    partitions: PARTITIONS,
    async start(env, { topics }) {
      await withClient(foreign.addresses.kafka, (client) =>
        createTopics(client, { ...topics, partitions: PARTITIONS, replication: 1 }),
      )
      return await start({ ...env, ...proxied })
    },
  })
  return {
    ...installation,
    proxy,
    async stop() {
      await installation.stop()
      await proxy.close()
    },
  }
}

async function forAll(use: (each: Behind) => Promise<void>): Promise<void> {
  await Promise.all(all.map(use))
}

/** All say that the log is not their own. Ingest is ready all the same, to answer posts, unless it is one process with the others. */
async function allRefuse(each: Behind, why: string): Promise<void> {
  const isReady = (user: string): boolean => user === 'ingest' && each.urls.ingest !== each.urls.projector
  await allSay(each, (user) => ({ ready: isReady(user), body: expect.stringContaining(why), fault: 1 }))
}

async function allSay(each: Behind, stateOf: (user: string) => object): Promise<void> {
  for (const user of USERS) {
    await eventually(`${user} says so`, async () => {
      expect({ user, ...(await logStateOf(each, user)) }).toEqual({ user, ...stateOf(user) })
      return true
    })
  }
}

async function deleteTopics(client: KafkaClient, { topic, dlqTopic }: TestTopics): Promise<void> {
  await client.withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic, dlqTopic] })
    await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  })
}

/** Opens a new epoch, with which the services continue without a restart. */
async function adoptLog(each: Behind, epoch: number): Promise<void> {
  const env = { ...each.world.env, KAFKA_BROKERS: `127.0.0.1:${each.proxy.port}` }
  expect(await runProjectionCommand(env, 'adopt-log')).toEqual({
    code: 0,
    output: expect.stringContaining(`Opened epoch ${epoch}`),
  })
  await allSay(each, () => READY)
}

/** A post is written, listed, streamed and delivered. */
async function comesOut(each: Behind): Promise<void> {
  const stream = await each.followStream()
  const id = mintEventId(Date.now())
  await eventually('events are accepted', async () => (await post(each, id)).status === 202)
  await isListed(each, id)
  await stream.shows(id)
  await eventually('its delivery', () => each.receiver.requests.some(({ headers }) => headers['webhook-id'] === id))
  await stream.close()
}

/** A post gets 503 immediately, with the code and its id. */
async function isRefused(each: Behind): Promise<void> {
  const id = mintEventId(Date.now())
  const refused = await post(each, id)
  expect([refused.status, await refused.json()]).toEqual([
    503,
    expect.objectContaining({
      code: 'log_identity_changed',
      events: [expect.objectContaining({ id, status: 'retry' })],
    }),
  ])
}

async function isListed(each: Behind, id: string): Promise<void> {
  await eventually('the event is listed', async () => (await each.request('api', `/v1/events/${id}`)).status === 200)
}

/** Records in the topic on the foreign cluster. */
async function recordsOf({ world }: Behind): Promise<number> {
  return await countRecords([foreign.addresses.kafka], world.topics.topic)
}

async function post(each: Behind, id: string): Promise<Response> {
  const event = { type: 'task.complete', id, task_id: 'task_1', data: { artifact_count: 1, mark: id } }
  return await each.request('ingest', '/v1/events', JSON.stringify(event))
}

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually('more events are acknowledged', () => run.acknowledged.size > before + EVENTS_PER_S)
}
