import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId, recordId } from '@ariftly/events'
import { eventually, silentLog, startOwnKafka, testFolder, withClient } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from './cluster/client.ts'
import { describeLog } from './topics/describe-log.ts'
import type { Position } from './read/log-reader-options.ts'
import { startLogReader, type LogReader } from './read/log-reader.ts'
import { createProducer, type EventProducer } from './produce/producer.ts'

const TOPIC = 'restored'

let stack: Awaited<ReturnType<typeof startOwnKafka>>
let client: KafkaClient
let producer: EventProducer
let reader: LogReader

beforeAll(async () => {
  stack = await startOwnKafka()
  client = createKafka({ brokers: [stack.addresses.kafka], clientId: 'test', log: silentLog })
  producer = createProducer(client, { topic: TOPIC })
})

afterAll(async () => {
  await reader?.close()
  await producer?.close()
  await client?.close()
  await stack?.close()
})

async function send(value: string): Promise<void> {
  const record = { partition: 0, key: Buffer.from('k'), value: Buffer.from(value), headers: { ce_id: newEventId(1) } }
  await eventually('the record is in the log', async () => (await producer.send([record], { timeoutMs: 2_000 })).ok)
}

/** Of partition 0, as a client hears it that knows nothing yet. */
async function leaderEpoch(): Promise<number> {
  return await withClient(stack.addresses.kafka, async (fresh) => {
    const cluster = fresh.topicCluster(TOPIC)
    await eventually('partition 0 has a leader', async () => (await cluster.refreshed()) && cluster.leaderOf(0) >= 0)
    return cluster.leaderEpochOf(0)
  })
}

test('a log restored from a copy of the disk, whose leader epochs are lower, is read and written on', async () => {
  await client.withAdmin((admin) => admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] }))
  const log = await eventually('the topic is described', () => describeLog(client, TOPIC))
  const values: string[] = []
  let position: Position = { nextOffset: 0, lastOffset: null, lastId: null }
  reader = startLogReader({
    client,
    topic: TOPIC,
    partitionCount: 1,
    identity: log,
    positions: async () => new Map([[0, position]]),
    async handle({ records, lastOffset }) {
      for (const { value } of records) values.push(String(value))
      const last = records.at(-1)
      if (last !== undefined)
        position = { nextOffset: lastOffset + 1, lastOffset: last.offset, lastId: recordId(last) ?? null }
      return { type: 'done' }
    },
    log: silentLog,
  })
  await send('a')
  await eventually('the value is read', () => values.includes('a'))

  const data = join(stack.dataDir, 'kafka/data')
  const copy = testFolder('kafka-copy')
  await stack.kafka?.stop()
  cpSync(data, copy, { recursive: true })
  await stack.kafka?.start()
  await stack.kafka?.restart()
  const before = await leaderEpoch()
  const cluster = client.topicCluster(TOPIC)
  await eventually('the epoch is known', async () => (await cluster.refreshed()) && cluster.leaderEpochOf(0) === before)
  await stack.kafka?.stop()
  rmSync(data, { recursive: true })
  cpSync(copy, data, { recursive: true })
  await stack.kafka?.start()
  expect(await leaderEpoch()).toBeLessThan(before)
  await send('b')
  await eventually('the value is read', () => values.includes('b'))
  await eventually('the log is described', () => describeLog(client, TOPIC))
  // A try that was left open may have made a second copy.
  expect([...new Set(values)]).toEqual(['a', 'b'])
})
