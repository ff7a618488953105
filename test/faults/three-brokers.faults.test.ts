import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  byForm,
  eventually,
  leadersOf,
  startKafkaProxies,
  startThreeBrokers,
  type CuttingProxy,
  type ExtraBroker,
  type ThreeBrokers,
} from '@ariftly/testkit'
import { startReplica } from './fleet.ts'
import { startInstallation, startOneProcess, type Installation, type RunningServices } from './installation.ts'
import type { Run } from './run.ts'

const PARTITIONS = 12
const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)
/** How long the only replica of some partitions is down, and how long a broker cannot be reached from ingest. */
const DOWN_MS = byForm({ short: 6_000, long: 90_000 })
const REFUSED_MS = byForm({ short: 3_000, long: 30_000 })
const EVENTS_PER_S = byForm({ short: 40, long: 12 })
/** A post is answered within twice the produce timeout of 5 s; the rest is for a busy machine. */
const ANSWERED_MS = 20_000
/** Pause between two posts. */
const EVERY_MS = 100

let kafka: ThreeBrokers
let proxies: readonly CuttingProxy[]
/** Three replicas of each partition; ingest is a process of its own, which reaches the brokers through proxies. */
let safe: Installation
/** One replica of each partition, and one process for all. */
let single: Installation

beforeAll(async () => {
  kafka = await startThreeBrokers()
  proxies = await startKafkaProxies(kafka.brokers.split(','))
  const both = { addresses: { ...kafka.stack.addresses, kafka: kafka.brokers }, partitions: PARTITIONS }
  ;[safe, single] = await Promise.all([
    startInstallation({ ...both, name: 'three replicas', replication: 3, start: startWithProxiedIngest }),
    startInstallation({ ...both, name: 'one replica', replication: 1, start: startOneProcess }),
  ])
}, 240_000)

afterAll(async () => {
  await Promise.all([safe?.stop(), single?.stop()])
  await Promise.all(proxies?.map((proxy) => proxy.close()) ?? [])
  await kafka?.close()
})

test('brokers out of reach, frozen and killed: nothing acknowledged is lost, doubled or out of order', async () => {
  const [killed, frozen] = kafka.others
  const { led, others } = await ledBy(single, killed)
  expect([led.length, others.length]).toEqual([4, 8])
  const load = { clients: 3, eventsPerS: EVENTS_PER_S }
  const [ofSafe, ofSingle] = await Promise.all([safe.startRun(load), single.startRun(load)])
  await Promise.all([ofSafe, ofSingle].map(goesOn))
  await refusedFromIngest(killed)

  frozen.pause()
  await eventually('the frozen broker leads nothing', async () => (await ledBy(safe, frozen)).led.length === 0)
  await goesOn(ofSafe)
  await killed.kill()
  // One replica of three is left in sync, and two are needed.
  await eventually('posts to all partitions are refused in time', async () => {
    const { status, ms } = await safe.posts.post(ALL)
    expect(ms).toBeLessThan(ANSWERED_MS)
    return status === 503
  })
  frozen.resume()
  await goesOn(ofSafe)
  await deadAsOnlyReplica(killed, led, others)
  await Promise.all([ofSafe, ofSingle].map(goesOn))
  await Promise.all([safe.allHeld(ofSafe), single.allHeld(ofSingle)])
}, 400_000)

async function startWithProxiedIngest(env: Readonly<Record<string, string>>): Promise<RunningServices> {
  const proxied = { ...env, KAFKA_BROKERS: proxies.map(({ port }) => `127.0.0.1:${port}`).join() }
  const [others, ingest] = await Promise.all([startOneProcess(env), startReplica('ingest', 'ingest', proxied)])
  return {
    urls: { ...others.urls, ingest: ingest.url },
    stop: async () => void (await Promise.all([others.stop(), ingest.stop()])),
  }
}

/** A broker that ingest alone cannot reach costs the partitions of the others nothing. */
async function refusedFromIngest(broker: ExtraBroker): Promise<void> {
  const { led, others } = await ledBy(safe, broker)
  // One in twelve of a mixed batch is for that broker.
  const mixed = [...others, ...led.slice(0, 1), ...others].slice(0, 12)
  await proxies[1]?.refuse()
  const endMs = performance.now() + REFUSED_MS
  while (performance.now() < endMs) {
    const { status, statuses, ms } = await safe.posts.post(mixed)
    expect([status, ...statuses]).toEqual([
      207,
      ...[...new Set(mixed)].map((partition) => [partition, led.includes(partition) ? 'retry' : 'accepted']),
    ])
    expect(ms).toBeLessThan(ANSWERED_MS)
    await sleep(EVERY_MS)
  }
  await proxies[1]?.accept()
  await eventually('its partitions accept events', async () => (await safe.posts.post(led)).status === 202)
}

/** A dead broker costs its own partitions alone: they get a fast 503, all others are written and read. Starts it again. */
async function deadAsOnlyReplica(
  broker: ExtraBroker,
  led: readonly number[],
  others: readonly number[],
): Promise<void> {
  const { posts } = single
  const stream = await single.followStream({ agent: 'partitions' })
  await eventually('its partitions refuse events', async () => (await posts.post(led)).status === 503)
  await eventually('the other partitions accept events', async () => (await posts.post(others)).status === 202)
  const endMs = performance.now() + DOWN_MS
  const refusedMs: number[] = []
  while (performance.now() < endMs) {
    const refused = await posts.post(led)
    expect(refused.status).toBe(503)
    refusedMs.push(refused.ms)
    const { status, accepted } = await posts.post(others)
    expect(status).toBe(202)
    const isStreamed = (id: string): boolean => stream.events.some((event) => event.id === id)
    await eventually('all accepted events are streamed', () => accepted.every(isStreamed))
    await sleep(EVERY_MS)
  }
  expect(refusedMs.toSorted((a, b) => a - b)[Math.floor(refusedMs.length / 2)]).toBeLessThan(250)
  await broker.start()
  await eventually('its partitions accept events again', async () => (await posts.post(led)).status === 202)
  await stream.close()
}

/** The partitions that a broker leads, and all others. */
async function ledBy(
  { world }: Installation,
  { nodeId }: ExtraBroker,
): Promise<{ readonly led: readonly number[]; readonly others: readonly number[] }> {
  const leaders = await leadersOf(kafka.brokers, world.topics.topic, PARTITIONS)
  return {
    led: ALL.filter((partition) => leaders[partition] === nodeId),
    others: ALL.filter((partition) => leaders[partition] !== nodeId),
  }
}

/** Events of every client are acknowledged. */
async function goesOn(run: Run): Promise<void> {
  const before = run.acknowledged.size
  await eventually('more events are acknowledged', () => run.acknowledged.size > before + 2 * EVENTS_PER_S)
}
