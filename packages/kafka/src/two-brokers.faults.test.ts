import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { eventually, silentLog, startOwnStack, startSecondBroker, type SecondBroker } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from './client.ts'
import { describeLog } from './describe-log.ts'
import { startLogReader, type LogReader } from './log-reader.ts'
import { createProducer, type EventProducer } from './producer.ts'

/** Led by the first broker, and by the second. */
const [STAYS, GOES] = [0, 1] as const

let stack: Awaited<ReturnType<typeof startOwnStack>>
let second: SecondBroker
let client: KafkaClient
let producer: EventProducer
let reader: LogReader
let values: readonly string[][]

beforeAll(async () => {
  stack = await startOwnStack()
  second = await startSecondBroker(stack)
}, 90_000)

afterAll(async () => {
  await second?.kill()
  await stack?.close()
})

afterEach(async () => {
  await reader.close()
  await producer.close()
  await client.close()
})

async function startReading(topic: string, replicas: readonly number[][]): Promise<void> {
  client = createKafka({ brokers: [stack.addresses.kafka], clientId: 'test', log: silentLog, requestTimeoutMs: 3_000 })
  producer = createProducer(client, { topic })
  const replicaAssignment = replicas.map((ids, partition) => ({ partition, replicas: ids }))
  await client.withAdmin((admin) => admin.createTopics({ topics: [{ topic, replicaAssignment }] }))
  values = replicas.map(() => [])
  const next = replicas.map(() => 0)
  reader = startLogReader({
    client,
    topic,
    partitionCount: replicas.length,
    clusterId: (await describeLog(client, topic)).clusterId,
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

/** Until the broker has acknowledged it; a try that was left open may make a second copy. */
async function send(partition: number, value: string): Promise<void> {
  const record = { partition, key: Buffer.from('k'), value: Buffer.from(value), headers: { ce_id: newEventId(1) } }
  await eventually(async () => (await producer.send([record], { timeoutMs: 2_000 })).ok, { timeoutMs: 30_000 })
}

async function arrives(partition: number, value: string, withinMs: number): Promise<void> {
  await eventually(() => values[partition]?.at(-1) === value, { timeoutMs: withinMs })
}

test('what a dead broker led goes on with the next leader, and holds up nothing else', async () => {
  const replicas = [
    [1, 2],
    [2, 1],
  ]
  await startReading('kept-twice', replicas)
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a', 10_000)
  await second.kill()
  await send(GOES, 'moved')
  await arrives(GOES, 'moved', 5_000)
  await send(STAYS, 'b')
  await arrives(STAYS, 'b', 1_500)
  await second.start()
  await send(GOES, 'c')
  await arrives(GOES, 'c', 5_000)
  expect([...new Set(values[GOES])]).toEqual(['a', 'moved', 'c'])
  expect([...new Set(values[STAYS])]).toEqual(['a', 'b'])
}, 90_000)

test('what nobody leads is waited for, and all else goes on meanwhile', async () => {
  await startReading('kept-once', [[1], [2]])
  await send(STAYS, 'a')
  await send(GOES, 'a')
  await arrives(GOES, 'a', 10_000)
  await second.kill()
  // Until the cluster has noticed, and after.
  const rounds = Array.from({ length: 20 }, (_, round) => `meanwhile-${round}`)
  for (const value of rounds) {
    await send(STAYS, value)
    await arrives(STAYS, value, 1_500)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  await second.start()
  await send(GOES, 'b')
  await arrives(GOES, 'b', 5_000)
  expect(values).toEqual([
    ['a', ...rounds],
    ['a', 'b'],
  ])
}, 90_000)
