import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId } from '@ariftly/events'
import { createBackends, createMetrics, readConfig } from '@ariftly/runtime'
import { runLongJobs, withTransaction } from '@ariftly/store'
import { ensurePositions } from '@ariftly/store/projection'
import { getReplay, insertReplay, type ReplayRow } from '@ariftly/store/replays'
import {
  type ExtraBroker,
  type ProjectedEvent,
  type World,
  createWorld,
  eventually,
  insertEvents,
  insertLogTimes,
  insertSampleWebhook,
  leadersOf,
  sampleRow,
  silentLog,
  startExtraBroker,
  startOwnStack,
} from '@ariftly/testkit'
import { webhookWorkerConfig } from '../config.ts'
import { startMatching, type Matching } from '../matching/start-matching.ts'
import { replayJobs } from './replay-slice.ts'

const PARTITIONS = 2
const MINUTE_MS = 60_000
const nowMs = Date.now()
/** In each partition, minutes ago. */
const APPENDED_MIN = [30, 20, 10]

let stack: Awaited<ReturnType<typeof startOwnStack>>
let second: ExtraBroker
let world: World
let matching: Matching

beforeAll(async () => {
  const metrics = createMetrics()
  stack = await startOwnStack()
  second = await startExtraBroker(stack)
  world = await createWorld({ addresses: stack.addresses, partitions: PARTITIONS })
  matching = startMatching({
    config: readConfig(webhookWorkerConfig, world.env),
    pool: world.admin,
    kafka: createBackends({ metrics, log: silentLog }).kafka,
    isTickOver: () => false,
    onMatched() {},
    log: silentLog,
    metrics,
  })
})
afterAll(async () => {
  await matching?.close()
  await world?.close()
  await second?.kill()
  await stack?.close()
})

function eventsOf(tenant: string): ProjectedEvent[] {
  return [0, 1].flatMap((partition) =>
    APPENDED_MIN.map((minutes, offset) => {
      const appendedAtMs = nowMs - minutes * MINUTE_MS
      return sampleRow({ tenant, id: newEventId(appendedAtMs), partition, offset, appendedAtMs })
    }),
  )
}

async function replay(tenant: string, beforeMs: number): Promise<() => Promise<ReplayRow | undefined>> {
  const id = newTypeId('rpl')
  const webhookId = await insertSampleWebhook(world.admin, { tenant })
  const all = { types: null, deliveryStatus: null, dryRun: false }
  await insertReplay(world.admin, { id, tenant, webhookId, afterMs: 0, beforeMs, ...all })
  return () => getReplay(world.admin, { tenant, webhookId, id })
}

test('a partition without a leader holds up only replays that need to know its end', async () => {
  const { admin, topics } = world
  const starts = new Map([0, 1].map((partition) => [partition, APPENDED_MIN.length]))
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: topics.topic, starts })
  const old = eventsOf('old')
  await insertEvents(admin, [...old, ...eventsOf('new')])
  await withTransaction(admin, (tx) => insertLogTimes(tx, { epoch: 1, times: old }))
  const leaders = await leadersOf(stack.addresses.kafka, topics.topic, PARTITIONS)
  const lost = leaders.indexOf(second.nodeId)
  await second.kill()
  await expect(matching.logEnd(lost)).rejects.toMatchObject({ code: 'kafka_unavailable' })
  expect(await matching.logEnd(1 - lost)).toBe(0)

  const upToNow = await replay('new', nowMs)
  const past = await replay('old', nowMs - 15 * MINUTE_MS)
  const jobs = replayJobs({ pool: admin, onReplayed() {}, logEnd: matching.logEnd })
  const loop = runLongJobs(jobs, { log: silentLog, failing: 'replays cannot continue yet' })
  try {
    await eventually('the replay of the past ends', async () => (await past())?.state === 'completed')
    expect(await past()).toMatchObject({ deliveryCount: 4 })
    // It has what Postgres has of that partition too, and stays there.
    const held = lost === 0 ? 3 : 6
    await eventually('the other has reached the partition', async () => (await upToNow())?.deliveryCount === held)
    expect(await upToNow()).toMatchObject({ state: 'running' })
    await second.start()
    await eventually('it ends when the partition has a leader', async () => (await upToNow())?.state === 'completed')
  } finally {
    await loop.close()
  }
})
