import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTestTopics, stackAddresses, type TestTopics } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from '../cluster/client.ts'
import { createProducer } from '../produce/producer.ts'
import { scanLog } from './scan-log.ts'
import { scanLogBackwards } from './scan-log-backwards.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }
const RECORDS = 200

let client: KafkaClient
let topics: TestTopics

beforeAll(async () => {
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
  topics = await createTestTopics({ partitions: 1 })
  const producer = createProducer(client, { topic: topics.topic })
  // Batches of one size, of which none ends where a stretch does.
  for (let from = 0; from < RECORDS; from += 25) {
    const values = Array.from({ length: 25 }, (_, n) => Buffer.from(`${from + n}`))
    await producer.send(values.map((value) => ({ partition: 0, key: Buffer.from('k'), value, headers: {} })))
  }
  await producer.close()
})
afterAll(async () => {
  await topics?.delete()
  await client?.close()
})

async function read(from: number, to: number): Promise<readonly number[]> {
  const offsets: number[] = []
  for await (const records of scanLogBackwards(client, { topic: topics.topic, partition: 0, from, to }))
    offsets.push(...records.map(({ offset, value }) => (value?.toString() === `${offset}` ? offset : -1)))
  return offsets
}

test('gives each record of a range once, the last one first', async () => {
  const all = Array.from({ length: RECORDS }, (_, n) => RECORDS - 1 - n)
  expect(await read(0, RECORDS)).toEqual(all)
  expect(await read(10, 100)).toEqual(all.filter((offset) => offset >= 10 && offset < 100))
  expect(await read(10, 10)).toEqual([])
})

test('a scan continues at the start of the log where retention has deleted records, if it is asked to', async () => {
  const { topic } = topics
  await client.withAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topic) // kafkajs must have seen the topic first
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '60' }] })
  })
  const starts: number[] = []
  const offsets: number[] = []
  const range = { topic, partition: 0, from: 10, to: 90 }
  for await (const records of scanLog(client, { ...range, onLogStart: (logStart) => starts.push(logStart) }))
    offsets.push(...records.map(({ offset }) => offset))
  expect(starts).toEqual([60])
  expect(offsets).toEqual(Array.from({ length: 30 }, (_, n) => 60 + n))
  await expect(scanLog(client, range).next()).rejects.toThrow('The log has no offset 10')
})
