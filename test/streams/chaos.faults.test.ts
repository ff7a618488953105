import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createRandom, createWorld, eventually, randomSeed, startOwnStack, type World } from '@ariftly/testkit'
import pg from 'pg'
import { startReplica, type Replica } from '../faults/fleet.ts'
import type { PlannedEvent, Wanted } from '../faults/ledger.ts'
import { startLoadClient } from '../faults/load-client.ts'
import { observeAtRest } from '../faults/rest.ts'
import { startStreamClient, type StreamClient } from '../faults/stream-client.ts'
import { expectAllHeld } from '../faults/verdict.ts'
import { planEvent, TENANTS } from '../faults/workload.ts'
import { carryOut } from '../support/carry-out.ts'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'
import { planFaults, type PlannedFault } from './fault-plan.ts'
import { startLaggingKafka, type LaggingKafka } from './lagging-kafka.ts'
import { startReposter, type Reposter } from './reposter.ts'

/** `npm run test:long -- --only streams` sets it; without it the run is short enough for every build. */
const MINUTES = Number.parseFloat(process.env['CHAOS_MINUTES'] ?? '')
const DURATION_MS = Number.isNaN(MINUTES) ? 30_000 : MINUTES * 60_000
const CLIENTS = 20
const EVENTS_PER_S = 240
const LAG_MS = 3000

let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World
let lagging: LaggingKafka
let proxy: HoppingProxy
let db: pg.Pool
let ingest: Replica
let projector: Replica
let gateways: readonly Replica[] = []
const over = new AbortController()
const seed = randomSeed('chaos of streams')
/** Clients and load draw numbers of their own, so that what they do shifts no fault. */
const random = createRandom(seed + 1)

beforeAll(async () => {
  stack = await startOwnStack()
  // A small ring, which also means few remembered ids, so that history, waiting clients and look-ups all happen.
  world = await createWorld({
    addresses: stack.addresses,
    env: {
      KAFKA_SESSION_TIMEOUT_MS: '6000',
      RING_BYTES_MAX: '1048576',
      STREAM_UNSENT_BYTES_MAX: '16384',
      DRAIN_MS: '1000',
    },
  })
  const port = Number(/:(\d+)$/.exec(stack.addresses.kafka)?.[1])
  lagging = await startLaggingKafka({ host: '127.0.0.1', port, delayMs: LAG_MS })
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  db.on('error', () => undefined) // Postgres is restarted.
  ;[ingest, projector, ...gateways] = await Promise.all([
    startReplica('ingest', 'ingest', world.env),
    startReplica('projector', 'projector', world.env),
    startReplica('stream-gateway', 'gateway-1', world.env),
    startReplica('stream-gateway', 'gateway-2', world.env),
    startReplica('stream-gateway', 'gateway-late', { ...world.env, KAFKA_BROKERS: lagging.address }),
  ])
  const ports = gateways.map(({ url }) => Number(new URL(url).port))
  proxy = await startHoppingProxy({ ports, random, bytes: { min: 200, max: 200_000 } })
})

afterAll(async () => {
  over.abort()
  projector?.signal('SIGCONT')
  await Promise.allSettled([...gateways, projector, ingest].map((replica) => replica?.stop()))
  await db?.end()
  await proxy?.close()
  await lagging?.close()
  await world?.close()
  await stack?.close()
})

test(
  'streams miss and repeat nothing while connections are cut, gateways die or lag, and Postgres and the projector stop',
  async () => {
    const run = await startRun()
    await carryOut({
      faults: planFaults({ random: createRandom(seed), durationMs: DURATION_MS, gateways: gateways.length }),
      durationMs: DURATION_MS,
      inject: (fault) => inject(run, fault),
    })
    await run.reposter.close()
    const reports = await Promise.all(run.loads.map((load) => load.finish()))
    const observation = await observeAtRest({
      run: { ...run, lists: [], subscriptions: [] },
      world,
      db,
      patienceMs: 60_000,
      settleMs: LAG_MS + 500, // What the gateway that lags sends twice is still on its way.
      say: (line) => say({ line }),
    })

    const connections = run.streams.map(({ report }) => report.connections)
    say({
      acknowledged: run.acknowledged.size,
      received: run.streams.reduce((sum, { seen }) => sum + seen.received.length, 0),
      connections: connections.reduce((sum, n) => sum + n, 0),
      cuts: proxy.cuts,
      lateFetches: lagging.delayed,
      reposts: { same: run.reposter.same, conflicting: run.reposter.conflicting },
    })
    expect(reports.flatMap((report) => report.unexpected)).toEqual([])
    expect(run.reposter.unexpected).toEqual([])
    expect(run.streams.flatMap(({ report }) => report.unexpected)).toEqual([])
    expectAllHeld(observation)
    // That the faults did happen.
    expect(Math.min(...connections)).toBeGreaterThan(3)
    expect(proxy.cuts).toBeGreaterThan(CLIENTS)
    // One in three seconds, while its gateway runs: it may be killed several times, and a busy machine starts it slowly.
    expect(lagging.delayed).toBeGreaterThan(2)
    expect(Math.min(run.reposter.same, run.reposter.conflicting)).toBeGreaterThan(5)
  },
  DURATION_MS + 180_000,
)

interface Run {
  readonly streams: readonly StreamClient[]
  readonly loads: readonly ReturnType<typeof startLoadClient>[]
  readonly reposter: Reposter
  readonly acknowledged: ReadonlyMap<string, PlannedEvent>
}

/** Opens the streams, and posts once each of them has a position to resume from. */
async function startRun(): Promise<Run> {
  const keys = new Map<string, string>()
  for (const tenant of TENANTS) keys.set(tenant, await world.apiKey(tenant))
  const keyOf = (tenant: string) => keys.get(tenant) ?? ''
  const streams = Array.from({ length: CLIENTS }, (_, index) => {
    const tenant = TENANTS[index % TENANTS.length] ?? TENANTS[0]
    return startStreamClient({
      name: `${index} of ${tenant}`,
      tenant,
      apiKey: keyOf(tenant),
      wanted: FILTERS[Math.floor(index / TENANTS.length) % FILTERS.length] ?? {},
      gateways: () => [proxy.url],
      random,
      roamMs: 20_000,
      signal: over.signal,
    })
  })
  await eventually('all streams can resume', () => streams.every((stream) => stream.canResume()))
  proxy.setCutting(true)
  proxy.dropAll()

  const acknowledged = new Map<string, PlannedEvent>()
  const inOrder: PlannedEvent[] = []
  const loads = TENANTS.map((tenant, index) =>
    startLoadClient({
      url: () => ingest.url,
      apiKey: keyOf(tenant),
      eventsPerS: EVENTS_PER_S / TENANTS.length,
      repostShare: 0, // The reposter has the times without duplicates.
      format: index % 2 === 0 ? 'json' : 'ndjson',
      random,
      plan: (nowMs) => planEvent(tenant, random, nowMs),
      acknowledge(event) {
        acknowledged.set(event.id, event)
        inOrder.push(event)
      },
      signal: over.signal,
    }),
  )
  const reposter = startReposter({
    url: () => ingest.url,
    keyOf,
    acknowledged: () => inOrder,
    random,
    everyMs: 100,
    signal: over.signal,
  })
  return { streams, loads, reposter, acknowledged }
}

/** Seven filters of three tenants: everything, by each attribute, and by two at once. */
const FILTERS: readonly Wanted[] = [
  {},
  { taskId: 'task_7' },
  { agent: 'team/planner-1' },
  { types: ['task.complete', 'tool_call.executed'] },
  { agent: 'writer', types: ['task.progress'] },
  { taskId: 'task_3', types: ['task.progress', 'task.failed'] },
  { types: ['task.failed'] },
]

async function inject(run: Run, fault: PlannedFault): Promise<void> {
  say(fault)
  switch (fault.kind) {
    case 'gateway': {
      const gateway = gateways[fault.gateway]
      if (gateway?.alive() !== true) return // It is still starting after the last time.
      await (fault.signal === 'SIGKILL' ? gateway.kill() : gateway.stop())
      await sleep(fault.downMs)
      await gateway.restart()
      return
    }
    case 'projector':
      projector.signal('SIGSTOP')
      await sleep(fault.stoppedMs)
      projector.signal('SIGCONT')
      return
    case 'quiet':
      await run.reposter.pause()
      return
    case 'postgres':
      await stack.postgres?.restart()
      run.reposter.resume()
      return
    case 'drop':
      proxy.dropAll()
  }
}

function say(what: object): void {
  process.stdout.write(`chaos of streams: ${JSON.stringify(what)}\n`)
}
