import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId, partitionOf, type LogEvent } from '@ariftly/events'
import { createKafka, createProducer, type EventProducer, type KafkaClient } from '@ariftly/kafka'
import { eventually, silentLog, startExtraBroker, startOwnStack, type ExtraBroker } from '@ariftly/testkit'
import { Breaker } from './log/breaker.ts'
import { createEventLog, type EventLog } from './log/event-log.ts'

const TOPIC = 'slow-replica'
/** All are led by the first broker; one has a replica on the second one. */
const SLOW = 0
const QUICK = [1, 2, 3, 4, 5] as const
const PARTITIONS = 1 + QUICK.length
/** The second broker is stopped and runs for so long, alternately. */
const STOPPED_MS = 1_200
const RUNS_MS = 400
const STOPS = 6

let stack: Awaited<ReturnType<typeof startOwnStack>>
let second: ExtraBroker
let client: KafkaClient
let producer: EventProducer
let breaker: Breaker
let log: EventLog

beforeAll(async () => {
  stack = await startOwnStack()
  second = await startExtraBroker(stack)
  client = createKafka({ brokers: [stack.addresses.kafka], clientId: 'test', log: silentLog })
  const replicaAssignment = [SLOW, ...QUICK].map((partition) => ({ partition, replicas: [1] }))
  await client.withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic: TOPIC, replicaAssignment }], waitForLeaders: false })
    const more = [{ topic: TOPIC, partitionAssignment: [{ partition: SLOW, replicas: [1, 2] }] }]
    await admin.alterPartitionReassignments({ topics: more })
    await eventually('both replicas are in sync', async (): Promise<boolean> => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] })
      return topics[0]?.partitions.find(({ partitionId }) => partitionId === SLOW)?.isr.length === 2
    })
  })
  producer = createProducer(client, { topic: TOPIC })
  breaker = new Breaker({
    partitions: PARTITIONS,
    probe: () => producer.probe(),
    isWritable: () => true,
    hasLeader: (partition) => producer.leaderOf(partition) >= 0,
    onOpen: (partition) => log.failWaiting(partition),
  })
  log = createEventLog({
    producer: { send: (records, o) => producer.send(records, o) },
    breaker,
    partitions: PARTITIONS,
    timeoutMs: 5_000,
    lingerMs: 2,
  })
})

afterAll(async () => {
  second?.resume()
  breaker?.close()
  await log?.idle()
  await producer?.close()
  await client?.close()
  await second?.kill()
  await stack?.close()
})

function eventOf(partition: number): LogEvent {
  const taskId = Array.from('abcdefghijklmnopqrstuvwxyz').find(
    (id) => partitionOf(`acme/${id}`, PARTITIONS) === partition,
  )
  const data = Buffer.from(`{"task_id":"${taskId}"}`)
  const id = newEventId(Date.now())
  return {
    tenant: 'acme',
    id,
    type: 'task.progress',
    taskId: taskId ?? '',
    sessionId: null,
    agent: null,
    data,
    traceparent: null,
  }
}

/** How long it took until an event was accepted. */
async function write(partition: number): Promise<number> {
  const startedMs = performance.now()
  expect(await log.write([eventOf(partition)])).toEqual(['accepted'])
  return performance.now() - startedMs
}

test('a replica that stops again and again delays the other partitions of its leader once', async () => {
  await eventually('all partitions accept events', async () => await Promise.all([SLOW, ...QUICK].map(write)))
  const tookMs = { quick: QUICK.map((): number[] => []), slow: [] as number[] }
  const end = new AbortController()
  let slow: Promise<void> | undefined

  async function writeSlow(): Promise<void> {
    tookMs.slow.push(await write(SLOW))
    slow = undefined
  }

  async function writeAll(): Promise<void> {
    while (!end.signal.aborted) {
      const quick = QUICK.map(write)
      // In the same tick, so that a request may have all.
      slow ??= writeSlow()
      for (const [index, ms] of (await Promise.all(quick)).entries()) tookMs.quick[index]?.push(ms)
      await sleep(5)
    }
    await slow
  }

  const writing = writeAll()
  for (let stop = 0; stop < STOPS; stop += 1) {
    second.pause()
    await sleep(STOPPED_MS)
    second.resume()
    await sleep(RUNS_MS)
  }
  end.abort()
  await writing
  expect(countLate(tookMs.slow)).toBeGreaterThanOrEqual(STOPS - 1)
  expect(Math.max(...tookMs.quick.map(countLate))).toBeLessThanOrEqual(2)
})

function countLate(tookMs: readonly number[]): number {
  return tookMs.filter((ms) => ms > STOPPED_MS / 2).length
}
