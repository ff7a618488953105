import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTestTopics, stackAddresses, type TestTopics } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from '../cluster/client.ts'
import { createDeadLetterWriter } from './dead-letters.ts'
import { scanLog } from '../read/scan-log.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }

let client: KafkaClient
let topics: TestTopics

beforeAll(async () => {
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
  topics = await createTestTopics({ partitions: 2 })
})
afterAll(async () => {
  await topics?.delete()
  await client?.close()
})

async function readDeadLetters() {
  const found = []
  for await (const records of scanLog(client, { topic: topics.dlqTopic, partition: 0, from: 0, to: 10 }))
    found.push(...records)
  return found
}

test('a dead letter has the headers of its record unchanged, with any names and values', async () => {
  const headers = {
    ['__proto__']: Buffer.from([0xff, 0xfe]),
    constructor: 'c',
    none: null,
    empty: '',
    twice: ['1', null, Buffer.from([0x80])],
    dlq_reason: 'of the producer',
  }
  const record = { partition: 1, offset: 7, timestampMs: 1, key: null, value: Buffer.from('v'), headers }
  const writer = createDeadLetterWriter(client, topics)
  await writer.write([{ record, reason: 'bad_attribute', detail: 'd' }])
  await writer.close()

  const found = await readDeadLetters()
  const [first] = found
  expect(found).toHaveLength(1)
  expect(first).toMatchObject({ key: null, value: Buffer.from('v') })
  expect(Object.entries(first?.headers ?? {})).toEqual([
    ...Object.entries(headers).filter(([name]) => name !== 'dlq_reason'),
    ['dlq_reason', 'bad_attribute'],
    ['dlq_detail', 'd'],
    ['dlq_topic', topics.topic],
    ['dlq_partition', '1'],
    ['dlq_offset', '7'],
  ])
})

test('dead letters that are too large together are written in several requests, and one that is too large alone is written without parts of its record', async () => {
  const tooLarge = Buffer.alloc(1_200_000, 'x')
  const half = tooLarge.subarray(0, 600_000)
  const small = { partition: 1, timestampMs: 1, key: Buffer.from('k'), value: Buffer.from('v'), headers: {} }
  const writer = createDeadLetterWriter(client, topics)
  await writer.write(
    [
      { ...small, headers: { half } },
      { ...small, headers: { half } },
      { ...small, value: tooLarge, headers: { a: 'b' } },
      { ...small, key: tooLarge },
    ].map((record, offset) => ({ record: { ...record, offset }, reason: 'too_large', detail: 'd' })),
  )
  await writer.close()

  const found = (await readDeadLetters()).filter(({ headers }) => headers['dlq_reason'] === 'too_large')
  expect(
    found.map(({ key, value, headers }) => [
      key?.toString(),
      value?.toString(),
      headers['a'],
      headers['dlq_offset'],
      headers['dlq_truncated'],
    ]),
  ).toEqual([
    ['k', 'v', undefined, '0', undefined],
    ['k', 'v', undefined, '1', undefined],
    ['k', undefined, 'b', '2', 'true'],
    [undefined, undefined, undefined, '3', 'true'],
  ])
})
