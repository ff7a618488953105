import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createRandom,
  createWorld,
  eventually,
  openStream,
  randomSeed,
  startReceiver,
  type Receiver,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { SERVICES, SHORT_TIMES, startReplica, startFleet, type Replica } from './fleet.ts'
import { startUpgrade, type Upgrade } from './upgrade.ts'
import { startLoadBalancer, type LoadBalancer } from './load-balancer.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS } from './run.ts'
import { expectAllHeld, expectChecked } from './verdict.ts'

const CLIENTS = 8
const EVENTS_PER_S = 240
/** Pause between two openings of a stream. */
const EVERY_MS = 10
const PUBLIC = ['ingest', 'api', 'stream-gateway'] as const
/** A built checkout of the release to upgrade from: its processes are started first and replaced by this one's. */
const UPGRADE_FROM_DIR = process.env['UPGRADE_FROM_DIR']

let world: World
let receiver: Receiver
let db: pg.Pool
let env: Readonly<Record<string, string>>
let replicas: readonly Replica[] = []
let upgrade: Upgrade | undefined
let loadBalancers: Readonly<Record<(typeof PUBLIC)[number], LoadBalancer>>
const over = new AbortController()

beforeAll(async () => {
  world = await createWorld({ env: SHORT_TIMES })
  // A busy machine polls /readyz late.
  env = { ...world.env, SHUTDOWN_DELAY_MS: '1500' }
  receiver = await startReceiver()
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  if (UPGRADE_FROM_DIR !== undefined) upgrade = await startUpgrade({ dir: UPGRADE_FROM_DIR, world, env })
  const counts = { ingest: 2, projector: 2, api: 2, 'stream-gateway': 2, 'webhook-worker': 2 }
  replicas = await startFleet(env, counts, UPGRADE_FROM_DIR)
  loadBalancers = {
    ingest: await startLoadBalancer(),
    api: await startLoadBalancer(),
    'stream-gateway': await startLoadBalancer(),
  }
  for (const { service, url } of replicas) loadBalancerOf(service)?.add(url)
  await eventually('all replicas are used', () =>
    replicas.every(({ service, url }) => loadBalancerOf(service)?.isUsed(url) !== false),
  )
  await upgrade?.writeAndMigrate({ ingest: loadBalancers.ingest.url, api: loadBalancers.api.url })
}, 180_000)

afterAll(async () => {
  over.abort()
  await Promise.allSettled(replicas.map((replica) => replica.stop()))
  if (loadBalancers !== undefined) await Promise.all(PUBLIC.map((service) => loadBalancers[service].close()))
  await db?.end()
  await receiver?.close()
  await world?.close()
})

test('restarting every process, one after the other, fails no request, cuts no stream for good and loses nothing', async () => {
  const run = await startRun({
    world,
    receiver,
    ingest: () => loadBalancers.ingest.url,
    api: () => loadBalancers.api.url,
    gateways: () => [loadBalancers['stream-gateway'].url],
    random: createRandom(randomSeed('rolling restart')),
    clients: CLIENTS,
    eventsPerS: EVENTS_PER_S,
    streams: STREAMS,
    webhooks: WEBHOOKS,
    roamMs: 600_000,
    signal: over.signal,
  })
  const openings = startOpenings(await world.apiKey('north'))
  for (const service of SERVICES) {
    for (const replica of replicas.filter((one) => one.service === service)) {
      const before = run.acknowledged.size
      await replace(replica)
      await eventually('more events are acknowledged', () => run.acknowledged.size > before + EVENTS_PER_S / 4)
    }
  }
  const opened = await openings.end()
  const reports = await Promise.all(run.clients.map((client) => client.finish()))
  const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 60_000, settleMs: 500, say })

  const lists = run.lists.map(({ report }) => report)
  say(JSON.stringify({ ...totals(reports), lists, openings: opened, streams: run.streams.map(({ report }) => report) }))
  expect([...loadBalancers.ingest.failures, ...loadBalancers.api.failures]).toEqual([])
  expect(loadBalancers['stream-gateway'].failures).toEqual([])
  expect(unexpected(run, reports)).toEqual([])
  expect({ cut: totals(reports).cut, unavailable: totals(reports).unavailable }).toEqual({ cut: 0, unavailable: 0 })
  for (const list of lists) expect(list).toMatchObject({ cut: 0, unavailable: 0 })
  expect(opened.refused).toEqual([])
  // Each stream was moved at least once, and was let in each time.
  for (const { report } of run.streams) {
    expect(report.connections).toBeGreaterThan(1)
    expect(report.refused).toBe(0)
  }
  expectAllHeld(observation)
  expectChecked(observation)
  await upgrade?.expectKept(loadBalancers.api.url)
}, 240_000)

/** Like a deployment: a new one is started, and once it is in use the old one is stopped. */
async function replace(old: Replica): Promise<void> {
  const loadBalancer = loadBalancerOf(old.service)
  const fresh = await startReplica(old.service, `${old.name} of the next version`, env)
  replicas = [...replicas, fresh]
  loadBalancer?.add(fresh.url)
  await eventually('the new process is used', () => loadBalancer?.isUsed(fresh.url) !== false)
  expect({ of: old.name, code: await old.stop() }).toEqual({ of: old.name, code: 0 })
  loadBalancer?.remove(old.url)
  say(`${old.name} is replaced`)
}

function loadBalancerOf(service: Replica['service']): LoadBalancer | undefined {
  return service === 'projector' || service === 'webhook-worker' ? undefined : loadBalancers[service]
}

/** Opens streams one after another and closes them: they must also open while a gateway ends. */
function startOpenings(apiKey: string) {
  const counts = { opened: 0, refused: [] as string[] }
  const ending = new AbortController()

  async function run(): Promise<void> {
    while (!ending.signal.aborted && !over.signal.aborted) {
      await openOne().catch((error: unknown) => counts.refused.push(String(error)))
      await sleep(EVERY_MS)
    }
  }

  async function openOne(): Promise<void> {
    const headers = { authorization: `Bearer ${apiKey}` }
    const url = `${loadBalancers['stream-gateway'].url}/v1/events/stream?types=task.failed`
    const stream = await openStream((signal) => fetch(url, { headers, signal }))
    counts.opened += 1
    await stream.close()
  }

  const running = run()
  return {
    async end() {
      ending.abort()
      await running
      return counts
    },
  }
}

function say(line: string): void {
  process.stdout.write(`rolling restart: ${line} (${Math.round(performance.now() / 1000)} s)\n`)
}
