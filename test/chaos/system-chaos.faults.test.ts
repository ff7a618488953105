import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createRandom,
  createWorld,
  randomSeed,
  startOwnStack,
  startReceiver,
  startThreeBrokers,
  type ExtraBroker,
  type Receiver,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { SHORT_TIMES, startFleet, type Replica } from '../faults/fleet.ts'
import type { Observation } from '../faults/ledger.ts'
import { observeAtRest } from '../faults/rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS, type Opened, type Run } from '../faults/run.ts'
import { expectAllHeld, expectChecked } from '../faults/verdict.ts'
import { carryOut } from '../support/carry-out.ts'
import { watchDelays, type Delays } from './delays.ts'
import { nameOf, planFaults, type SystemFault } from './fault-plan.ts'
import { createInjector, type Injector } from './inject.ts'
import { recoveries, renderRecoveries } from './recovery.ts'
import { startBackWays, startFrontWays, type BackWays, type FrontWays } from './ways.ts'

/**
 * `npm run test:long -- --only chaos` sets it: services then have the times that they have in production. Without it the run is short
 * enough for every build, and so are their times.
 */
const MINUTES = Number.parseFloat(process.env['CHAOS_MINUTES'] ?? '')
const LONG = !Number.isNaN(MINUTES)
const DURATION_MS = LONG ? MINUTES * 60_000 : 60_000
/** `--brokers 3` sets it: three brokers, three replicas of each partition, two of them in sync. */
const BROKERS = process.env['CHAOS_BROKERS'] === '3' ? 3 : 1
const REPLICAS = 2
const CLIENTS = 6
const EVENTS_PER_S = 150
/** Longer than a lease and the first waits of a retry. */
const PATIENCE_MS = 120_000

let stack: Awaited<ReturnType<typeof startOwnStack>>
let brokers: readonly ExtraBroker[] = []
let world: World
let receiver: Receiver
let db: pg.Pool
let back: BackWays
let front: FrontWays
let replicas: readonly Replica[] = []
let delays: Delays
let injector: Injector | undefined
const over = new AbortController()
const seed = randomSeed('chaos of the system')
/** Clients and ways draw numbers of their own, so that what they do shifts no fault. */
const random = createRandom(seed + 1)

beforeAll(async () => {
  world = await startWorld()
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  db.on('error', () => undefined) // Postgres is killed.
  // As in production: a commit that was answered outlives the server. Stacks of tests do without.
  await db.query('ALTER ROLE ALL SET synchronous_commit = on')
  receiver = await startReceiver()
  back = await startBackWays(world)
  replicas = await startFleet(back.env, {
    ingest: REPLICAS,
    projector: REPLICAS,
    api: REPLICAS,
    'stream-gateway': REPLICAS,
    'webhook-worker': REPLICAS,
  })
  front = await startFrontWays(replicas, random)
  delays = watchDelays(db)
}, 180_000)

afterAll(async () => {
  over.abort()
  injector?.release()
  await delays?.close()
  await Promise.allSettled(replicas.map((replica) => replica.stop()))
  await front?.close()
  await back?.close()
  await receiver?.close()
  await db?.end()
  await world?.close()
  await Promise.all(brokers.map((broker) => broker.kill()))
  await stack?.close()
})

async function startWorld(): Promise<World> {
  const env = LONG ? {} : SHORT_TIMES
  if (BROKERS === 1) {
    stack = await startOwnStack()
    return await createWorld({ addresses: stack.addresses, env })
  }
  const three = await startThreeBrokers()
  stack = three.stack
  brokers = three.others
  return await createWorld({ addresses: { ...stack.addresses, kafka: three.brokers }, replication: BROKERS, env })
}

test(
  'loses, duplicates, reorders and mixes up nothing, with anything killed, frozen, cut or emptied',
  async () => {
    const run = await startRun({
      world,
      receiver,
      ingest: () => front.ways.ingest.url,
      api: () => front.ways.api.url,
      gateways: () => [front.ways['stream-gateway'].url],
      random,
      clients: CLIENTS,
      eventsPerS: EVENTS_PER_S,
      streams: [...STREAMS, ...MORE_STREAMS],
      webhooks: WEBHOOKS,
      roamMs: 15_000,
      timeoutMs: 5000,
      note: (stage, id) => delays.note(stage, id),
      signal: over.signal,
    })
    const faults = await breakThings()
    const reports = await Promise.all(run.clients.map((client) => client.finish()))
    const observation = await observeAtRest({ run, world, db, receiver, patienceMs: PATIENCE_MS, settleMs: 1000, say })

    say(
      `felt after its end, median / worst, s:\n${renderRecoveries(recoveries(faults, delays.late(observation, receiver)))}`,
    )
    say(JSON.stringify({ faults: faults.length, ...totals(reports), ...countsOf(run, observation) }))
    expect(unexpected(run, reports)).toEqual([])
    expectAllHeld(observation)
    expectChecked(observation)
  },
  DURATION_MS + 300_000,
)

/** Streams of more clients, which are led from gateway to gateway. */
const MORE_STREAMS: readonly Opened[] = [
  { name: 'all too', tenant: 'south', wanted: {} },
  { name: 'all of the third', tenant: 'west', wanted: {} },
  { name: 'agent and types', tenant: 'south', wanted: { agent: 'writer', types: ['task.progress'] } },
  { name: 'rare', tenant: 'west', wanted: { types: ['task.failed'] } },
]

async function breakThings() {
  const breaking = createInjector({ stack, brokers, replicas, back, front })
  injector = breaking
  return await carryOut({
    faults: planFaults({ random: createRandom(seed), durationMs: DURATION_MS, replicas: REPLICAS, brokers: BROKERS }),
    durationMs: DURATION_MS,
    inject(fault: SystemFault) {
      say(`${nameOf(fault)} ${JSON.stringify(fault)}`)
      return breaking.inject(fault)
    },
  })
}

function countsOf(run: Run, { webhooks, streams }: Observation) {
  const deliveries = webhooks.reduce((sum, { received }) => sum + received.length, 0)
  const distinct = webhooks.reduce((sum, { received }) => sum + new Set(received.map((d) => d.eventId)).size, 0)
  return {
    acknowledged: run.acknowledged.size,
    streamed: streams.reduce((sum, { received }) => sum + received.length, 0),
    connections: run.streams.reduce((sum, { report }) => sum + report.connections, 0),
    lists: run.lists.reduce((sum, { report }) => sum + report.answered, 0),
    delivered: distinct,
    deliveredAgain: deliveries - distinct,
  }
}

function say(line: string): void {
  process.stdout.write(`chaos: ${line} (${Math.round(performance.now() / 1000)} s)\n`)
}
