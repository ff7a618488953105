import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import {
  eventually,
  silentLog,
  startOwnStack,
  startExtraBroker,
  startKafkaProxies,
  type CuttingProxy,
  type ExtraBroker,
} from '@ariftly/testkit'
import { createKafka, type KafkaClient } from './cluster/client.ts'
import { describeAvailable, describeLog, type LogDescription } from './topics/describe-log.ts'
import { startLogReader, type LogReader } from './read/log-reader.ts'
import { createProducer, type EventProducer, type ProducerRecord } from './produce/producer.ts'
import { errorName } from './wire/error-name.ts'
import { fetchRequest } from './wire/fetch.ts'

/** Led by the first broker, and by the second. */
const [STAYS, GOES] = [0, 1] as const
/** Rounds of sends to both while one is down, and how long each waits for it. */
const ROUNDS = 4
const SEND_MS = 2_000

let stack: Awaited<ReturnType<typeof startOwnStack>>
let second: ExtraBroker
let client: KafkaClient
let producer: EventProducer
let reader: LogReader
let values: readonly string[][]
let proxies: readonly CuttingProxy[]
/** Changes what brokers answer. */
let changeAnswer: (chunk: Buffer) => Buffer = (chunk) => chunk

beforeAll(async () => {
  stack = await startOwnStack()
  second = await startExtraBroker(stack)
  proxies = await startKafkaProxies([stack.addresses.kafka, second.address], (chunk) => changeAnswer(chunk))
})

afterAll(async () => {
  await Promise.all(proxies?.map((proxy) => proxy.close()) ?? [])
  await second?.kill()
  await stack?.close()
})

afterEach(async () => {
  changeAnswer = (chunk) => chunk
  await reader.close()
  await producer.close()
  await client.close()
})

async function startReading(topic: string, replicas: readonly number[][]): Promise<void> {
  const brokers = [`127.0.0.1:${proxies[0]?.port}`]
  client = createKafka({ brokers, clientId: 'test', log: silentLog, requestTimeoutMs: 3_000 })
  producer = createProducer(client, { topic })
  const replicaAssignment = replicas.map((ids, partition) => ({ partition, replicas: ids }))
  const topics = [{ topic, replicaAssignment }]
  // A broker that has just started may not know the topic yet when it is asked for its leaders.
  await client.withAdmin((admin) => admin.createTopics({ topics, waitForLeaders: false }))
  startReader(topic, await eventually('the topic is described', () => describeLog(client, topic)))
}

/** A reader of all partitions, from their beginning. */
function startReader(topic: string, log: LogDescription): void {
  values = log.partitions.map(() => [])
  const next = log.partitions.map(() => 0)
  reader = startLogReader({
    client,
    topic,
    partitionCount: log.partitions.length,
    identity: log,
    positions: async (wanted) =>
      new Map(wanted.map((each) => [each, { nextOffset: next[each] ?? 0, lastOffset: null, lastId: null }])),
    async handle({ partition, records, firstOffset, lastOffset }) {
      expect(firstOffset).toBe(next[partition])
      next[partition] = lastOffset + 1
      for (const { value } of records) values[partition]?.push(String(value))
      return { type: 'done' }
    },
    log: silentLog,
  })
}

/** The values that a partition's reader was given, without the duplicates that {@link send} may make. */
function withoutDuplicates(partition: number): readonly string[] {
  const all = values[partition] ?? []
  return all.filter((value, at) => value.startsWith('meanwhile') || all.indexOf(value) === at)
}

/** Until the broker has acknowledged it; a try that was left open may make a second copy. */
async function send(partition: number, value: string): Promise<void> {
  const records = [record(partition, value)]
  await eventually('the records are in the log', async () => (await producer.send(records, { timeoutMs: 2_000 })).ok)
}

function record(partition: number, value: string): ProducerRecord {
  return { partition, key: Buffer.from('k'), value: Buffer.from(value), headers: { ce_id: newEventId(1) } }
}

async function arrives(partition: number, value: string): Promise<void> {
  await eventually('the value is read', () => values[partition]?.at(-1) === value)
}

test('the partitions of a dead broker continue with the next leader, and delay no other', async () => {
  const replicas = [
    [1, 2],
    [2, 1],
  ]
  await startReading('kept-twice', replicas)
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a')
  await second.kill()
  await send(GOES, 'moved')
  await arrives(GOES, 'moved')
  await send(STAYS, 'b')
  await arrives(STAYS, 'b')
  await second.start()
  await send(GOES, 'c')
  await arrives(GOES, 'c')
  expect(withoutDuplicates(GOES)).toEqual(['a', 'moved', 'c'])
  expect(withoutDuplicates(STAYS)).toEqual(['a', 'b'])
})

test('partitions without a leader are reported, and only they are waited for', async () => {
  await startReading('kept-once', [[1], [2]])
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a')
  await second.kill()
  // Until the controller has fenced the broker.
  await eventually('no leader', async () => (await producer.probe(1_000)) && producer.leaderOf(GOES) < 0)
  const { partitions: readable, unavailable } = await describeAvailable(client, 'kept-once')
  expect(readable.map(({ partition }) => partition)).toEqual([STAYS])
  expect([...unavailable.keys()]).toEqual([GOES])
  const rounds = Array.from({ length: ROUNDS }, (_, round) => `meanwhile-${round}`)
  for (const value of rounds) {
    const settledMs = new Map<number, number>()
    const startedMs = performance.now()
    const { partitions } = await producer.send([record(STAYS, value), record(GOES, 'lost')], {
      timeoutMs: SEND_MS,
      onOutcome: (partition) => settledMs.set(partition, performance.now() - startedMs),
    })
    expect(partitions.get(STAYS)?.type).toBe('written')
    expect(partitions.get(GOES)).toEqual({ type: 'unsent', code: 'LEADER_NOT_AVAILABLE' })
    // Not when the send gives up the other partition.
    expect(settledMs.get(STAYS)).toBeLessThan(SEND_MS - 100)
    await arrives(STAYS, value)
  }
  await second.start()
  await send(GOES, 'b')
  await arrives(GOES, 'b')
  expect([withoutDuplicates(STAYS), withoutDuplicates(GOES)]).toEqual([
    ['a', ...rounds],
    ['a', 'b'],
  ])
})

test('a leader that only we cannot reach costs the partitions of the others nothing', async () => {
  await startReading('out-of-reach', [[1], [2]])
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a')
  await proxies[1]?.refuse()
  const rounds = Array.from({ length: ROUNDS }, (_, round) => `meanwhile-${round}`)
  for (const value of rounds) {
    const mixed = producer.send([record(STAYS, value), record(GOES, 'lost')], { timeoutMs: SEND_MS })
    const { partitions } = await mixed
    expect(partitions.get(STAYS)?.type).toBe('written')
    expect(partitions.get(GOES)?.type).toMatch(/^un(sent|known)$/)
  }
  await arrives(STAYS, rounds.at(-1) ?? '')
  await proxies[1]?.accept()
  await send(GOES, 'b')
  await arrives(GOES, 'b')
  // Each was written once: no connection to the healthy broker was cut while it answered.
  expect([withoutDuplicates(STAYS), withoutDuplicates(GOES)]).toEqual([
    ['a', ...rounds],
    ['a', 'b'],
  ])
})

test('a leader that does not answer delays no reading of the partitions of other leaders, at the start too', async () => {
  await startReading('silent', [[1], [2]])
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a')
  const log = await describeLog(client, 'silent')
  await reader.close()
  second.pause()
  try {
    const silence = describeAvailable(client, 'silent').then(({ unavailable }) => [...unavailable.keys()])
    startReader('silent', log)
    const first = await Promise.race([arrives(STAYS, 'a'), silence])
    expect(first).toBeUndefined()
    expect(await silence).toEqual([GOES])
    expect([withoutDuplicates(STAYS), values[GOES]]).toEqual([['a'], []])
  } finally {
    second.resume()
  }
  await arrives(GOES, 'a')
})

test('a leader of a previous epoch is not used, and a fetch names the epoch that it was made for', async () => {
  const topic = 'reassigned'
  await startReading(topic, [[1]])
  await send(0, 'a')
  await arrives(0, 'a')
  expect(producer.leaderOf(0)).toBe(1)
  await client.withAdmin((admin) =>
    admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: [2] }] }] }),
  )
  await eventually('broker 2 leads partition 0', async () => (await producer.probe()) && producer.leaderOf(0) === 2)
  await send(0, 'b')
  await arrives(0, 'b')
  await reader.close()

  const cluster = client.topicCluster(topic)
  await eventually('the new leader', async () => (await cluster.refreshed()).partitions[0]?.leader === 2)
  const leaderEpoch = cluster.leaderEpochOf(0)
  expect(leaderEpoch).toBeGreaterThan(0)
  async function fetchErrorOf(epoch: number): Promise<number | undefined> {
    const places = [{ partition: 0, offset: 0, leaderEpoch: epoch }]
    const bounds = { maxWaitMs: 100, bytesMax: 10_000, bytesPerPartitionMax: 10_000 }
    const request = fetchRequest({ topic, topicId: cluster.topicId, places, ...bounds })
    return (await cluster.send(2, request, { channel: 'fetch', timeoutMs: 5_000 })).partitions[0]?.errorCode
  }
  expect(await fetchErrorOf(leaderEpoch)).toBe(0)
  expect(errorName((await fetchErrorOf(leaderEpoch - 1)) ?? 0)).toBe('FENCED_LEADER_EPOCH')
  expect(errorName((await fetchErrorOf(leaderEpoch + 1)) ?? 0)).toBe('UNKNOWN_LEADER_EPOCH')

  const now = leadership({ leader: 2, leaderEpoch })
  let changed = 0
  changeAnswer = (chunk) => {
    const at = chunk.indexOf(now)
    if (at < 0) return chunk
    changed += 1
    leadership({ leader: 1, leaderEpoch: leaderEpoch - 1 }).copy(chunk, at)
    return chunk
  }
  expect(await producer.probe()).toBe(true)
  expect(changed).toBe(1)
  expect(producer.leaderOf(0)).toBe(2)
})

test('a leader of a higher epoch that denies it is not preferred to the next metadata', async () => {
  await startReading('denied', [[2]])
  await send(0, 'a')
  await arrives(0, 'a')
  const is = leadership({ leader: 2, leaderEpoch: 0 })
  changeAnswer = (chunk) => {
    const at = chunk.indexOf(is)
    if (at >= 0) leadership({ leader: 1, leaderEpoch: 5 }).copy(chunk, at)
    return chunk
  }
  const cluster = client.topicCluster('denied')
  await eventually('the wrong leader is believed', async () => {
    await Promise.all([producer.probe(), cluster.refreshed()])
    return producer.leaderOf(0) === 1 && cluster.leaderOf(0) === 1
  })
  changeAnswer = (chunk) => chunk
  await send(0, 'b')
  await arrives(0, 'b')
  const { partitions } = await eventually('the log is described', () => describeLog(client, 'denied'))
  expect(partitions).toMatchObject([{ partition: 0, logStart: 0 }])
})

/** Leadership as in an answer to Metadata of partition 0. */
function leadership(o: { readonly leader: number; readonly leaderEpoch: number }): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeInt32BE(o.leader, 4)
  bytes.writeInt32BE(o.leaderEpoch, 8)
  return bytes
}
