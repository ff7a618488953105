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
import { checkLedger, summarize } from './checker.ts'
import { startFleet, type Replica } from './fleet.ts'
import { createInFlightCounter } from './in-flight.ts'
import { runKiller, type Kill } from './killer.ts'
import { isWanted, type Observation, type PlannedEvent, type Wanted } from './ledger.ts'
import { startListClient } from './list-client.ts'
import { startLoadClient, type LoadReport } from './load-client.ts'
import { countRecords, readLog, readTable } from './observe.ts'
import { startStreamClient } from './stream-client.ts'
import { partOf, tamperings } from './tamper.ts'
import { createArrivals, seenByWebhook, subscribe } from './webhooks.ts'
import { planEvent, TENANTS } from './workload.ts'

const CLIENTS = 8
const EVENTS_PER_S = 1000
const EVENTS_MIN = 20_000
const KILLS_EACH = 3
const PAUSE_MS = { min: 100, max: 700 }

/** Short, so that a killed process is missed for seconds; the ring holds less than the run, so that history is read too. */
const SHORT = {
  KAFKA_SESSION_TIMEOUT_MS: '4000',
  WEBHOOK_TIMEOUT_MS: '4000',
  WEBHOOK_LEASE_MS: '5000',
  WEBHOOK_RETRY_SCHEDULE_S: '1,1,1,2,2,2,5,5,5,5,5,5',
  WEBHOOK_PROBE_MS: '500',
  RING_BYTES_MAX: String(8 * 1024 * 1024),
}

let world: World
let receiver: Receiver
let db: pg.Pool
let replicas: readonly Replica[] = []
const over = new AbortController()

beforeAll(async () => {
  world = await createWorld({ env: SHORT })
  receiver = await startReceiver()
  db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  replicas = await startFleet(world.env)
}, 60_000)

afterAll(async () => {
  over.abort()
  await Promise.allSettled(replicas.map((replica) => replica.stop()))
  await db?.end()
  await receiver?.close()
  await world?.close()
}, 30_000)

test('loses, doubles, reorders and mixes up nothing while every process is killed three times at work', async () => {
  const random = createRandom(randomSeed('faults'))
  const run = await startRun(random)
  await eventually(() => run.streams.every((stream) => stream.seen.received.length > 0), { timeoutMs: 15_000 })

  const killing = { from: Date.now(), acknowledged: run.acknowledged.size }
  const kills = await killAll(run, random)
  const ofWindow = { ms: Date.now() - killing.from, events: run.acknowledged.size - killing.acknowledged }
  await eventually(() => run.acknowledged.size >= EVENTS_MIN, { timeoutMs: 60_000 })
  const reports = await Promise.all(run.clients.map((client) => client.finish()))
  const observation = await observeAtRest(run)

  say(
    `faults: ${JSON.stringify({ ...totals(reports), ...ofWindow, webhooks: observation.webhooks.map((w) => w.received.length) })}`,
  )
  expect(idleServices(kills)).toEqual([])
  expect(reports.flatMap((report) => report.unexpected)).toEqual([])
  expect(run.streams.flatMap((stream) => stream.report.unexpected)).toEqual([])
  expect(run.lists.flatMap((list) => list.unexpected)).toEqual([])
  expect((ofWindow.events / ofWindow.ms) * 1000).toBeGreaterThan(EVENTS_PER_S * 0.95)
  const violations = checkLedger(observation)
  expect({ summary: summarize(violations), first: violations.slice(0, 5) }).toEqual({ summary: {}, first: [] })
  const part = partOf(observation, new Set(observation.log.flatMap(({ id }, at) => (at % 8 === 0 ? [id] : []))))
  expect(checkLedger(part)).toEqual([])
  for (const { name, observation: tampered, expected } of tamperings(part)) {
    expect({ name, found: checkLedger(tampered) }).toEqual({
      name,
      found: expect.arrayContaining([expect.objectContaining(expected)]),
    })
  }
}, 240_000)

type Run = Awaited<ReturnType<typeof startRun>>

/** Subscribes, opens the four streams, starts the load and the list clients. */
async function startRun(random: () => number) {
  const keys = new Map<string, string>()
  for (const tenant of TENANTS)
    keys.set(tenant, await world.apiKey(tenant, ['events:write', 'events:read', 'webhooks']))
  const keyOf = (tenant: string) => keys.get(tenant) ?? ''
  receiver.respondWith(() => ({ delayMs: 5 + random() * 30 }))

  const subscriptions = await Promise.all(
    webhooksWanted().map((o) => subscribe(urlOf('api'), keyOf(o.tenant), { ...o, url: receiver.url })),
  )
  const streams = streamsWanted().map((o) =>
    startStreamClient({
      ...o,
      apiKey: keyOf(o.tenant),
      gateways: livingGateways,
      random,
      roamMs: 4000,
      signal: over.signal,
    }),
  )
  await eventually(() => streams.every((stream) => stream.connectedTo() !== undefined), { timeoutMs: 15_000 })

  const acknowledged = new Map<string, PlannedEvent>()
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const tenant = TENANTS[index % TENANTS.length] ?? TENANTS[0]
    return startLoadClient({
      url: () => urlOf('ingest'),
      apiKey: keyOf(tenant),
      eventsPerS: EVENTS_PER_S / CLIENTS,
      repostShare: 1 / 50,
      format: index % 2 === 0 ? 'json' : 'ndjson',
      random,
      plan: (nowMs) => planEvent(tenant, random, nowMs),
      acknowledge: (event) => acknowledged.set(event.id, event),
      signal: over.signal,
    })
  })
  const lists = TENANTS.map((tenant) => {
    const webhookId = subscriptions.find((subscription) => subscription.tenant === tenant)?.id ?? ''
    return startListClient({
      url: () => urlOf('api'),
      tenant,
      apiKey: keyOf(tenant),
      webhookId,
      random,
      signal: over.signal,
    })
  })
  return { acknowledged, clients, streams, lists, subscriptions }
}

function streamsWanted() {
  return [
    { name: 'all', tenant: 'north', wanted: {} },
    { name: 'task', tenant: 'south', wanted: { taskId: 'task_7' } },
    { name: 'agent', tenant: 'west', wanted: { agent: 'team/planner-1' } },
    { name: 'types', tenant: 'north', wanted: { types: ['task.complete', 'tool_call.executed'] } },
  ] as const
}

function webhooksWanted() {
  return [
    { name: 'types', tenant: 'north', wanted: { types: ['task.complete', 'approval.requested'] } },
    { name: 'task', tenant: 'south', wanted: { taskId: 'task_3' } },
    { name: 'rare', tenant: 'west', wanted: { types: ['task.failed'] } },
  ] as const
}

function urlOf(service: Replica['service']): string {
  return replicasOf(service)[0]?.url ?? ''
}

function livingGateways(): readonly string[] {
  return replicasOf('stream-gateway').flatMap((replica) => (replica.alive() ? [replica.url] : []))
}

function replicasOf(...services: readonly Replica['service'][]): readonly Replica[] {
  return replicas.filter(({ service }) => services.includes(service))
}

/** Three killers at once: for the services that stand alone, for the projectors and for the gateways. */
async function killAll(run: Run, random: () => number): Promise<readonly Kill[]> {
  const inFlight = createInFlightCounter({
    db,
    clients: run.clients,
    lists: run.lists,
    streams: run.streams,
    acknowledged: () => [...run.acknowledged.values()],
  })
  const lanes = [replicasOf('ingest', 'api', 'webhook-worker'), replicasOf('projector'), replicasOf('stream-gateway')]
  const kills = await Promise.all(
    lanes.map((lane) =>
      runKiller({
        replicas: lane,
        killsEach: KILLS_EACH,
        random,
        inFlight,
        pauseMs: PAUSE_MS,
        watchMs: 10_000,
        now: Date.now,
        onKill: (kill) => say(`faults: killed ${JSON.stringify(kill)}`),
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

/** Waits until everything has arrived, or does not come any more, and reads the log and the table. */
async function observeAtRest(run: Run): Promise<Observation> {
  const brokers = (world.env['KAFKA_BROKERS'] ?? '').split(',')
  const topic = world.env['KAFKA_TOPIC'] ?? ''
  const written = await countRecords(brokers, topic)
  await eventually(async () => (await projectedUpTo('events')) >= written, { timeoutMs: 40_000, everyMs: 200 })
  say(`faults: ${written} records written and projected`)
  const log = await readLog(brokers, topic)
  const table = await readTable(db)
  await Promise.all(run.lists.map((list) => list.close()))
  const observe = async (): Promise<Observation> => ({
    acknowledged: [...run.acknowledged.values()],
    log,
    table,
    deadLetters: await countRecords(brokers, world.env['KAFKA_DLQ_TOPIC'] ?? ''),
    streams: run.streams.map((stream) => stream.seen),
    webhooks: seenByWebhook(run.subscriptions, receiver.requests),
    listed: run.lists.flatMap((list) => list.listed),
  })
  const missing = createMissing(run, table)
  await eventually(() => missing() === 0, { timeoutMs: 60_000, everyMs: 200 }).catch(() => sayDeliveries(missing()))
  say('faults: all that is to come has come')
  await Promise.all(run.streams.map((stream) => stream.close()))
  return await observe()
}

/** Events that are still to come, over all streams and webhooks. */
function createMissing(run: Run, table: readonly PlannedEvent[]): () => number {
  const isAt = createArrivals(receiver.requests)
  const ofStreams = run.streams.map(({ seen, has }) => ({ has, ids: idsOf(table, seen) }))
  const ofWebhooks = run.subscriptions.map((subscription) => ({
    has: (id: string) => isAt(subscription.id, id),
    ids: idsOf(table, subscription),
  }))
  return function missing() {
    return [...ofStreams, ...ofWebhooks].reduce((sum, { has, ids }) => sum + ids.filter((id) => !has(id)).length, 0)
  }
}

function idsOf(table: readonly PlannedEvent[], o: { tenant: string; wanted: Wanted }): readonly string[] {
  return table.filter((event) => isWanted(event, o.tenant, o.wanted)).map(({ id }) => id)
}

/** What Postgres plans for deliveries that have not come: the first thing that one wants to know then. */
async function sayDeliveries(missing: number): Promise<void> {
  const states = await db.query('SELECT webhook_id, state, count(*)::int, min(due_at) FROM deliveries GROUP BY 1, 2')
  const endpoints = await db.query('SELECT webhook_id, consecutive_failures, next_probe_at FROM webhook_endpoints')
  say(`faults: ${missing} still to come: ${JSON.stringify({ states: states.rows, endpoints: endpoints.rows })}`)
}

async function projectedUpTo(projection: string): Promise<number> {
  const sql = 'SELECT sum(next_offset)::text AS next FROM projection_offsets WHERE projection = $1'
  const result = await db.query<{ next: string | null }>(sql, [projection])
  return Number(result.rows[0]?.next ?? 0)
}

function totals(reports: readonly LoadReport[]) {
  const sum = (name: 'planned' | 'reposted' | 'cut' | 'unavailable') => reports.reduce((all, r) => all + r[name], 0)
  return { planned: sum('planned'), reposted: sum('reposted'), cut: sum('cut'), unavailable: sum('unavailable') }
}

function say(line: string): void {
  process.stdout.write(`${line} (${Math.round(performance.now() / 1000)} s)\n`)
}
