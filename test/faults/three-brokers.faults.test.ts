import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createRandom,
  createWorld,
  eventually,
  randomSeed,
  startReceiver,
  startThreeBrokers,
  type Receiver,
  type ThreeBrokers,
  type World,
} from '@ariftly/testkit'
import pg from 'pg'
import { SHORT_TIMES, startFleet, type Replica } from './fleet.ts'
import { tooManyCopies } from './checker.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS, type Run } from './run.ts'
import { expectAllHeld } from './verdict.ts'

const EVENTS_PER_S = 60
/** Longer than a broker that is silent is waited for by the controller (`broker.session.timeout.ms`, 6 s in tests). */
const FENCED_MS = 9_000

let kafka: ThreeBrokers
let world: World
let receiver: Receiver
let db: pg.Pool
let replicas: readonly Replica[] = []
const over = new AbortController()

beforeAll(async () => {
  kafka = await startThreeBrokers()
  const addresses = { ...kafka.stack.addresses, kafka: kafka.brokers }
  world = await createWorld({ addresses, replication: 3, env: SHORT_TIMES })
  receiver = await startReceiver()
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  replicas = await startFleet(world.env, { ingest: 1, projector: 1, api: 1, 'stream-gateway': 1, 'webhook-worker': 1 })
}, 180_000)

afterAll(async () => {
  over.abort()
  await Promise.allSettled(replicas.map((replica) => replica.stop()))
  await db?.end()
  await receiver?.close()
  await world?.close()
  await kafka?.close()
}, 60_000)

test('one of three brokers killed, and one frozen: nothing acknowledged is lost, doubled or out of order', async () => {
  const run = await startRun({
    world,
    receiver,
    ingest: () => urlOf('ingest'),
    api: () => urlOf('api'),
    gateways: () => [urlOf('stream-gateway')],
    random: createRandom(randomSeed('three brokers')),
    clients: 4,
    eventsPerS: EVENTS_PER_S,
    streams: STREAMS,
    webhooks: WEBHOOKS,
    roamMs: 600_000,
    signal: over.signal,
  })
  const [killed, frozen] = kafka.others
  await goesOn(run)
  await killed.kill()
  await sleep(FENCED_MS)
  await goesOn(run)
  await killed.start()
  await goesOn(run)
  frozen.pause()
  await sleep(FENCED_MS)
  await goesOn(run)
  frozen.resume()
  await goesOn(run)

  const reports = await Promise.all(run.clients.map((client) => client.finish()))
  const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 90_000, settleMs: 500, say })
  say(JSON.stringify(totals(reports)))
  expect(unexpected(run, reports)).toEqual([])
  expectAllHeld(observation)
  expect(tooManyCopies(observation.log, run.posts)).toEqual([])
}, 300_000)

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually(() => run.acknowledged.size > before + 2 * EVENTS_PER_S, { timeoutMs: 60_000 })
}

function urlOf(service: Replica['service']): string {
  return replicas.find((replica) => replica.service === service)?.url ?? ''
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
