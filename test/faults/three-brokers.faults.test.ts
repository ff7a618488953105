import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  byForm,
  createPartitionPosts,
  createRandom,
  createWorld,
  eventually,
  leadersOf,
  randomSeed,
  startKafkaProxies,
  startReceiver,
  startThreeBrokers,
  type CuttingProxy,
  type PartitionPosts,
  type Receiver,
  type ThreeBrokers,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { openStream } from '../support/read-stream.ts'
import { tooManyCopies } from './checker.ts'
import { SHORT_TIMES } from './fleet.ts'
import { startOneProcess, startProcesses, type Installation, type StartInstallation } from './log-users.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS, type Run } from './run.ts'
import { expectAllHeld } from './verdict.ts'

const PARTITIONS = 12
const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)
/** Longer than a broker that is silent is waited for by the controller (`broker.session.timeout.ms`, 6 s in tests). */
const FENCED_MS = 9_000
/** How long the only replica of some partitions is away, and how long a broker cannot be reached from ingest. */
const AWAY_MS = byForm({ short: 8_000, long: 90_000 })
const REFUSED_MS = byForm({ short: 3_000, long: 30_000 })
const EVENTS_PER_S = byForm({ short: 60, long: 16 })
/** A post is answered within twice the produce timeout of 5 s; the rest is for a busy machine. */
const ANSWERED_MS = 20_000
const SOON = { timeoutMs: 60_000 }

let kafka: ThreeBrokers
let proxies: readonly CuttingProxy[]

beforeAll(async () => {
  kafka = await startThreeBrokers()
  proxies = await startKafkaProxies(kafka.brokers.split(','))
}, 120_000)

afterAll(async () => {
  await Promise.all(proxies?.map((proxy) => proxy.close()) ?? [])
  await kafka?.close()
}, 60_000)

describe('three replicas of each partition', () => {
  const house = useHouse({ replication: 3, start: startWithProxiedIngest })

  test('brokers out of reach, frozen and killed: nothing acknowledged is lost, doubled or out of order', async () => {
    const run = await house.startRun(EVENTS_PER_S)
    const posts = house.posts()
    await goesOn(run)
    await refusedFromIngest(posts, house.world().topics.topic)
    await frozenAndKilled(run, posts)
    await house.allHeld(run, posts)
  }, 400_000)
})

/** A broker that ingest alone cannot reach costs the partitions of the others nothing. */
async function refusedFromIngest(posts: PartitionPosts, topic: string): Promise<void> {
  const [broker] = kafka.others
  const leaders = await leadersOf(kafka.brokers, topic, PARTITIONS)
  const reached = ALL.filter((partition) => leaders[partition] !== broker.nodeId)
  const lost = ALL.filter((partition) => leaders[partition] === broker.nodeId)
  // One in twelve of a mixed batch is for that broker.
  const mixed = [...reached, ...lost.slice(0, 1), ...reached].slice(0, 12)
  await proxies[1]?.refuse()
  const endMs = performance.now() + REFUSED_MS
  while (performance.now() < endMs) {
    const { status, statuses, ms } = await posts.post(mixed)
    expect([status, ...statuses]).toEqual([
      207,
      ...[...new Set(mixed)].map((partition) => [partition, lost.includes(partition) ? 'retry' : 'accepted']),
    ])
    expect(ms).toBeLessThan(ANSWERED_MS)
    await sleep(100)
  }
  await proxies[1]?.accept()
  await eventually(async () => (await posts.post(lost)).status === 202, SOON)
}

async function frozenAndKilled(run: Run, posts: PartitionPosts): Promise<void> {
  const [killed, frozen] = kafka.others
  frozen.pause()
  await sleep(FENCED_MS)
  await goesOn(run)
  await killed.kill()
  // One replica of three is left in sync, and two are needed.
  await eventually(async () => {
    const { status, ms } = await posts.post(ALL)
    expect(ms).toBeLessThan(ANSWERED_MS)
    return status === 503
  }, SOON)
  frozen.resume()
  await goesOn(run)
  await killed.start()
  await goesOn(run)
}

describe('one replica of each partition', () => {
  const house = useHouse({ replication: 1, start: startOneProcess })

  test('a dead broker costs its own partitions alone: they get a fast 503, all others are written and read', async () => {
    const run = await house.startRun(EVENTS_PER_S)
    const posts = house.posts()
    const stream = await house.openStream()
    await goesOn(run)
    const [dead] = kafka.others
    const leaders = await leadersOf(kafka.brokers, house.world().topics.topic, PARTITIONS)
    const lost = ALL.filter((partition) => leaders[partition] === dead.nodeId)
    const alive = ALL.filter((partition) => leaders[partition] !== dead.nodeId)
    expect([lost.length, alive.length]).toEqual([4, 8])
    await dead.kill()
    await eventually(async () => (await posts.post(lost)).status === 503, SOON)
    const endMs = performance.now() + AWAY_MS
    const refusedMs: number[] = []
    while (performance.now() < endMs) {
      const refused = await posts.post(lost)
      expect(refused.status).toBe(503)
      refusedMs.push(refused.ms)
      const { status, accepted } = await posts.post(alive)
      expect(status).toBe(202)
      await eventually(() => accepted.every((id) => stream.has(id)), SOON)
      await sleep(100)
    }
    expect(refusedMs.toSorted((a, b) => a - b)[Math.floor(refusedMs.length / 2)]).toBeLessThan(250)
    await dead.start()
    await eventually(async () => (await posts.post(lost)).status === 202, SOON)
    await goesOn(run)
    await stream.close()
    await house.allHeld(run, posts)
  }, 400_000)
})

/** A process for each service, of which ingest reaches the brokers through proxies. */
async function startWithProxiedIngest(env: Readonly<Record<string, string>>): Promise<Installation> {
  const brokers = proxies.map(({ port }) => `127.0.0.1:${port}`).join()
  return await startProcesses((service) => (service === 'ingest' ? { ...env, KAFKA_BROKERS: brokers } : env))
}

/** Services on a topic of their own, for the tests of one `describe`. */
function useHouse(o: { readonly replication: number; readonly start: StartInstallation }) {
  let world: World
  let receiver: Receiver
  let db: pg.Pool
  let installation: Installation
  let apiKey: string
  const over = new AbortController()

  beforeAll(async () => {
    const addresses = { ...kafka.stack.addresses, kafka: kafka.brokers }
    const dataDir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'three-brokers-'))
    const env = { ...SHORT_TIMES, DATA_DIR: dataDir }
    world = await createWorld({ addresses, replication: o.replication, partitions: PARTITIONS, env })
    receiver = await startReceiver()
    db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
    installation = await o.start(world.env)
    apiKey = await world.apiKey('north')
  }, 180_000)

  afterAll(async () => {
    over.abort()
    await installation?.stop()
    await db?.end()
    await receiver?.close()
    await world?.close()
  }, 60_000)

  return {
    world: () => world,
    startRun: (eventsPerS: number) =>
      startRun({
        world,
        receiver,
        ingest: () => installation.urls.ingest,
        api: () => installation.urls.api,
        gateways: () => [installation.urls['stream-gateway']],
        random: createRandom(randomSeed('three brokers')),
        clients: 4,
        eventsPerS,
        streams: STREAMS,
        webhooks: WEBHOOKS,
        roamMs: 600_000,
        signal: over.signal,
      }),
    posts: () =>
      createPartitionPosts({ url: installation.urls.ingest, apiKey, tenant: 'north', partitions: PARTITIONS }),
    async openStream() {
      const url = `${installation.urls['stream-gateway']}/v1/events/stream?agent=partitions`
      const stream = await openStream((signal) =>
        fetch(url, { headers: { authorization: `Bearer ${apiKey}` }, signal }),
      )
      return { close: () => stream.close(), has: (id: string) => stream.messages.some(({ data }) => data.includes(id)) }
    },
    /** Ends the clients and checks every promise. */
    async allHeld(run: Run, posts: PartitionPosts): Promise<void> {
      const reports = await Promise.all(run.clients.map((client) => client.finish()))
      const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 90_000, settleMs: 500, say })
      say(JSON.stringify(totals(reports)))
      expect(unexpected(run, reports)).toEqual([])
      expectAllHeld(observation)
      const posted = new Map([...run.posts, ...posts.posted.map((id) => [id, 1] as const)])
      expect(tooManyCopies(observation.log, posted)).toEqual([])
    },
  }
}

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually(() => run.acknowledged.size > before + 2 * EVENTS_PER_S, SOON)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
