import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { ConfigResourceTypes } from 'kafkajs'
import { createTestTopics, stackAddresses, startKafkaProxy, type CuttingProxy, type TestTopics } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from '../cluster/client.ts'
import { describeLog } from '../topics/describe-log.ts'
import type { LogIdentity } from '../log-identity.ts'
import { createProducer, type EventProducer, type ProducerRecord } from './producer.ts'
import { scanLog } from '../read/scan-log.ts'
import { createTopics } from '../topics/topics.ts'
import { encodeRecordBatch } from '../wire/encode-record-batch.ts'
import { produceRequest } from '../wire/produce.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }

let client: KafkaClient
let topics: TestTopics
let producer: EventProducer

beforeAll(() => {
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
})
afterAll(() => client.close())
beforeEach(async () => {
  topics = await createTestTopics({ partitions: 2 })
  producer = createProducer(client, { topic: topics.topic })
})
afterEach(async () => {
  await producer.close()
  await topics.delete()
})

function record(partition: number, value: string | Buffer): ProducerRecord {
  return { partition, key: Buffer.from('key'), value: Buffer.from(value), headers: { a: '1', ü: Buffer.from([0xff]) } }
}

function writtenAt(baseOffset: number): readonly object[] {
  return [0, 1].map((partition) => ({ partition, code: 'NONE', baseOffset, appendedAtMs: expect.any(Number) }))
}

async function values(partition: number): Promise<string[]> {
  const found: string[] = []
  for await (const records of scanLog(client, { topic: topics.topic, partition, from: 0, to: 1_000 })) {
    found.push(...records.map(({ value }) => String(value)))
  }
  return found
}

describe('producer', () => {
  test('says where each partition was written, and keeps the order within it', async () => {
    const startedMs = Date.now()
    const { ok, partitions } = await producer.send([record(0, 'a'), record(1, 'b'), record(0, 'c')])
    expect(ok).toBe(true)
    expect(new Set(partitions.keys())).toEqual(new Set([0, 1]))
    const first = partitions.get(0)
    expect(first).toMatchObject({ type: 'written', baseOffset: 0 })
    expect(first?.type === 'written' && first.appendedAtMs).toBeGreaterThanOrEqual(startedMs)
    await producer.send([record(0, 'd')])
    expect(await values(0)).toEqual(['a', 'c', 'd'])
    expect(await values(1)).toEqual(['b'])
  })

  test('a plain kafkajs consumer reads key, value, headers and append time', async () => {
    await producer.send([record(1, 'b')])
    const consumer = client.kafka.consumer({ groupId: `test-${topics.topic}` })
    await consumer.connect()
    await consumer.subscribe({ topic: topics.topic, fromBeginning: true })
    const message = await new Promise((resolve) => {
      void consumer.run({
        eachMessage: async (payload) => resolve(payload.message),
      })
    })
    await consumer.disconnect()
    expect(message).toMatchObject({
      offset: '0',
      key: Buffer.from('key'),
      value: Buffer.from('b'),
      headers: { a: Buffer.from('1'), ü: Buffer.from([0xff]) },
    })
  })

  test('a batch that is too large is refused and its neighbour is written', async () => {
    const { ok, partitions } = await producer.send([record(0, Buffer.alloc(2 * 1024 * 1024)), record(1, 'b')])
    expect(ok).toBe(false)
    expect(partitions.get(0)).toEqual({ type: 'refused', code: 'MESSAGE_TOO_LARGE' })
    expect(partitions.get(1)).toMatchObject({ type: 'written' })
  })

  test('answers in time that nothing was sent when no broker can be reached, and works once one can', async () => {
    const unreachable = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test', log })
    const lost = createProducer(unreachable, { topic: topics.topic })
    const startedMs = performance.now()
    const { ok, partitions } = await lost.send([record(0, 'a')], { timeoutMs: 500 })
    expect(performance.now() - startedMs).toBeLessThan(3000)
    expect(ok).toBe(false)
    expect(partitions.get(0)?.type).toBe('unsent')
    expect(await lost.probe(300)).toBe(false)
    await lost.close()
    await unreachable.close()
    expect(await producer.probe()).toBe(true)
  })

  test('many partitions that are tried again make Node warn of nothing', async () => {
    const script = `
      import { createKafka } from '../cluster/client.ts'
      import { createProducer } from './producer.ts'
      const log = { info() {}, warn() {}, error() {}, debug() {} }
      const producer = createProducer(createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test', log }), { topic: 'none' })
      const records = Array.from({ length: 12 }, (_, partition) => ({ partition, key: null, value: null, headers: {} }))
      const { ok } = await producer.send(records, { timeoutMs: 300 })
      await producer.close()
      process.stdout.write(String(ok))`
    const options = ['--conditions=source', '--import', 'tsx', '--input-type=module', '--eval', script]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, options, { cwd: import.meta.dirname })
    expect([stdout, stderr]).toEqual(['false', ''])
  })

  test('writes nothing while another cluster is expected, also on connections that are open', async () => {
    const identity: LogIdentity = await describeLog(client, topics.topic)
    let expected = identity
    const bound = createProducer(client, { topic: topics.topic, identity: () => expected })
    expect((await bound.send([record(0, 'a')])).ok).toBe(true)
    expected = { ...identity, clusterId: 'another' }
    const { partitions } = await bound.send([record(0, 'b')], { timeoutMs: 600 })
    expect(partitions.get(0)?.type).toBe('unsent')
    expected = identity
    expect((await bound.send([record(0, 'c')])).ok).toBe(true)
    await bound.close()
    expect(await values(0)).toEqual(['a', 'c'])
  })

  test('brokers before Kafka 4.1 are given the topic by name, which means the same', async () => {
    const cluster = client.topicCluster(topics.topic)
    const { topicId } = await cluster.refreshed()
    expect(topicId).toMatch(/^[\w-]{22}$/)
    const batches = [0, 1].map((partition) => {
      return { partition, batch: encodeRecordBatch([record(partition, `${partition}`)], { nowMs: Date.now() }) }
    })
    const newer = produceRequest({ topic: topics.topic, topicId, timeoutMs: 5_000, batches })
    const send = async (request: typeof newer) => {
      const answers = await cluster.send(cluster.leaderOf(0), request, { channel: 'main', timeoutMs: 5_000 })
      return answers.toSorted((a, b) => a.partition - b.partition)
    }
    expect(await send(newer)).toEqual(writtenAt(0))
    expect(await send({ ...newer, flexibleVersion: undefined })).toEqual(writtenAt(1))
  })

  test('a partition that the topic does not have is unsent, and the others are written', async () => {
    const { partitions } = await producer.send([record(9, 'a'), record(1, 'b')], { timeoutMs: 2_000 })
    expect(partitions.get(9)?.type).toBe('unsent')
    expect(partitions.get(1)?.type).toBe('written')
  })
})

describe('a producer whose answers are lost', () => {
  let proxy: CuttingProxy
  let behind: KafkaClient
  let losing: EventProducer

  beforeEach(async () => {
    proxy = await startKafkaProxy(stackAddresses().kafka)
    behind = createKafka({ brokers: [`127.0.0.1:${proxy.port}`], clientId: 'test', log })
    losing = createProducer(behind, { topic: topics.topic })
  })
  afterEach(async () => {
    await losing.close()
    await behind.close()
    await proxy.close()
  })

  test('writes a batch at most twice, and then leaves it open', async () => {
    proxy.cutAnswersTo(isProduce)
    const { partitions } = await losing.send([record(0, 'a'), record(0, 'b')], { timeoutMs: 8_000 })
    expect(partitions.get(0)?.type).toBe('unknown')
    expect(await values(0)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('says where the second try was written when only the first answer was lost', async () => {
    let requests = 0
    proxy.cutAnswersTo((chunk) => isProduce(chunk) && (requests += 1) === 1)
    const { partitions } = await losing.send([record(0, 'a')], { timeoutMs: 8_000 })
    expect(partitions.get(0)).toMatchObject({ type: 'written', baseOffset: 1 })
    expect(await values(0)).toEqual(['a', 'a'])
  })
})

test('a request without an answer ends the idle connections to its broker too, so that the next ones dial', async () => {
  const proxy = await startKafkaProxy(stackAddresses().kafka)
  const behind = createKafka({ brokers: [`127.0.0.1:${proxy.port}`], clientId: 'test', log })
  const frozen = createProducer(behind, { topic: topics.topic })
  const sendFour = (value: string): Promise<readonly { readonly ok: boolean }[]> =>
    Promise.all([0, 1, 0, 1].map((partition) => frozen.send([record(partition, value)], { timeoutMs: 5_000 })))
  try {
    await sendFour('a')
    proxy.freezeOpen()
    expect((await frozen.send([record(0, 'b')], { timeoutMs: 500 })).ok).toBe(false)
    expect((await sendFour('c')).map(({ ok }) => ok)).toEqual([true, true, true, true])
  } finally {
    await frozen.close()
    await behind.close()
    await proxy.close()
  }
})

/** A request begins with its length in four bytes; the key of its API follows, 0 for Produce. */
function isProduce(request: Buffer): boolean {
  return request.length >= 6 && request.readInt16BE(4) === 0
}

describe('topics', () => {
  test('are made with retention, append time and without compression, and making them again changes nothing', async () => {
    const { topic, dlqTopic } = topics
    await createTopics(client, { topic, dlqTopic, partitions: 2, replication: 1 })
    const settings = await client.withAdmin((admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] }),
    )
    const byName = Object.fromEntries(
      settings.resources[0]?.configEntries.map((e) => [e.configName, e.configValue]) ?? [],
    )
    expect(byName).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '604800000',
      'message.timestamp.type': 'LogAppendTime',
      'compression.type': 'uncompressed',
    })
    const { partitions } = await describeLog(client, topic)
    expect(partitions).toEqual([
      { partition: 0, logStart: 0, logEnd: 0 },
      { partition: 1, logStart: 0, logEnd: 0 },
    ])
  })

  test('another number of partitions than the topic has is a fault', async () => {
    const { topic, dlqTopic } = topics
    await expect(createTopics(client, { topic, dlqTopic, partitions: 5, replication: 1 })).rejects.toMatchObject({
      code: 'partition_count_changed',
    })
    await expect(describeLog(client, 'no-such-topic')).rejects.toMatchObject({ code: 'topic_missing', retryable: true })
  })
})
