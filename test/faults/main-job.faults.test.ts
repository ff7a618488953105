import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createRandom,
  createWorld,
  eventually,
  randomSeed,
  startReceiver,
  type Receiver,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { SHORT_TIMES, startFleet, type Replica } from './fleet.ts'
import { createInFlightCounter } from './in-flight.ts'
import { runKiller, type Kill } from './killer.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS, type Run } from './run.ts'
import { expectAllHeld, expectChecked } from './verdict.ts'

const CLIENTS = 8
const EVENTS_PER_S = 1000
const EVENTS_MIN = 20_000
const KILLS_EACH = 3
const PAUSE_MS = { min: 100, max: 700 }

let world: World
let receiver: Receiver
let db: pg.Pool
let replicas: readonly Replica[] = []
const over = new AbortController()

beforeAll(async () => {
  world = await createWorld({ env: SHORT_TIMES })
  receiver = await startReceiver()
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  replicas = await startFleet(world.env, {
    ingest: 1,
    projector: 2,
    api: 1,
    'stream-gateway': 2,
    'webhook-worker': 1,
  })
})

afterAll(async () => {
  over.abort()
  await Promise.allSettled(replicas.map((replica) => replica.stop()))
  await db?.end()
  await receiver?.close()
  await world?.close()
})

test('loses, doubles, reorders and mixes up nothing while every process is killed three times at work', async () => {
  const random = createRandom(randomSeed('faults'))
  const run = await startRun({
    world,
    receiver,
    ingest: () => urlOf('ingest'),
    api: () => urlOf('api'),
    gateways: livingGateways,
    random,
    clients: CLIENTS,
    eventsPerS: EVENTS_PER_S,
    streams: STREAMS,
    webhooks: WEBHOOKS,
    roamMs: 4000,
    signal: over.signal,
  })
  const startedMs = performance.now()
  await eventually('each stream has an event', () => run.streams.every((stream) => stream.seen.received.length > 0))

  const kills = await killAll(run, random)
  await eventually('enough events are acknowledged', () => run.acknowledged.size >= EVENTS_MIN)
  const reports = await Promise.all(run.clients.map((client) => client.finish()))
  const ms = performance.now() - startedMs
  const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 60_000, settleMs: 500, say })

  const received = observation.webhooks.map((webhook) => webhook.received.length)
  say(JSON.stringify({ ...totals(reports), ms: Math.round(ms), webhooks: received }))
  expect(idleServices(kills)).toEqual([])
  expect(unexpected(run, reports)).toEqual([])
  // Nothing waits for long until all is acknowledged, events posted while a process was down included.
  expect((totals(reports).planned / ms) * 1000).toBeGreaterThan(EVENTS_PER_S * 0.95)
  expectAllHeld(observation)
  expectChecked(observation)
}, 240_000)

function urlOf(service: Replica['service']): string {
  return replicasOf(service)[0]?.url ?? ''
}

function livingGateways(): readonly string[] {
  return replicasOf('stream-gateway').flatMap((replica) => (replica.alive() ? [replica.url] : []))
}

function replicasOf(...services: readonly Replica['service'][]): readonly Replica[] {
  return replicas.filter(({ service }) => services.includes(service))
}

/** Three concurrent killers: for the services with one process, for the projectors and for the gateways. */
async function killAll(run: Run, random: () => number): Promise<readonly Kill[]> {
  const inFlight = createInFlightCounter({
    db,
    clients: run.clients,
    lists: run.lists,
    streams: run.streams,
    acknowledged: () => [...run.acknowledged.values()],
  })
  const groups = [replicasOf('ingest', 'api', 'webhook-worker'), replicasOf('projector'), replicasOf('stream-gateway')]
  const kills = await Promise.all(
    groups.map((group) =>
      runKiller({
        replicas: group,
        killsEach: KILLS_EACH,
        random,
        inFlight,
        pauseMs: PAUSE_MS,
        watchMs: 10_000,
        now: Date.now,
        onKill: (kill) => say(`killed ${JSON.stringify(kill)}`),
      }),
    ),
  )
  return kills.flat()
}

/** Services of which no kill found anything in flight: the test would not have tested them. */
function idleServices(kills: readonly Kill[]): readonly string[] {
  const services = [...new Set(kills.map((kill) => kill.service))]
  return services.filter((service) => kills.every((kill) => kill.service !== service || kill.inFlight === 0))
}

function say(line: string): void {
  process.stdout.write(`faults: ${line} (${Math.round(performance.now() / 1000)} s)\n`)
}
