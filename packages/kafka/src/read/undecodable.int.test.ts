import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ConfigResourceTypes } from 'kafkajs'
import { createTestTopics, eventually, stackAddresses, type TestTopics } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from '../cluster/client.ts'
import { describeLog } from '../topics/describe-log.ts'
import { startLogReader, type LogReader } from './log-reader.ts'
import { createProducer, type EventProducer } from '../produce/producer.ts'
import { scanLog } from './scan-log.ts'

const PARTITIONS = 2

let client: KafkaClient
let topics: TestTopics
let producer: EventProducer
let reader: LogReader | undefined
let warned: readonly Readonly<Record<string, unknown>>[]

const log = {
  info() {},
  warn(fields: object) {
    warned = [...warned, fields as Record<string, unknown>]
  },
  error() {},
  debug() {},
}

beforeEach(async () => {
  warned = []
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
  topics = await createTestTopics({ partitions: PARTITIONS })
  producer = createProducer(client, { topic: topics.topic })
})

afterEach(async () => {
  await reader?.close()
  await producer.close()
  await topics.delete()
  await client.close()
})

/** One batch of records in partition 0 and one in partition 1. */
async function send(...values: readonly string[]): Promise<void> {
  const records = [0, 1].flatMap((partition) =>
    values.map((value) => ({ partition, key: null, value: Buffer.from(value), headers: {} })),
  )
  expect((await producer.send(records)).ok).toBe(true)
}

/** The broker stores later records with this codec, regardless of the producer's. */
async function storeAs(codec: 'gzip' | 'lz4' | 'zstd' | 'uncompressed'): Promise<void> {
  const entry = { name: 'compression.type', value: codec }
  await client.withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topics.topic, configEntries: [entry] }],
    }),
  )
}

/** Three readable records, two that are compressed by a codec that we do not have, and one that is readable again. */
async function fillLog(): Promise<void> {
  await send('a', 'b', 'c')
  await storeAs('lz4')
  // The broker takes a moment to obey: only a codec that it was seen to use will do.
  await eventually('a damaged batch is in the log', async () => {
    await send('x', 'y')
    return (await readAll(0)).fault !== undefined
  })
  await storeAs('uncompressed')
  await send('z')
}

async function readAll(partition: number) {
  const values: string[] = []
  try {
    for await (const records of scanLog(client, { topic: topics.topic, partition, from: 0, to: 1_000 })) {
      values.push(...records.map(({ value }) => String(value)))
    }
    return { values, fault: undefined }
  } catch (error) {
    return { values, fault: error }
  }
}

test('records that cannot be decoded hold the partition exactly there: what precedes them is handled', async () => {
  await fillLog()
  const { values: readable, fault } = await readAll(0)
  expect(fault).toMatchObject({
    code: 'records_unreadable',
    message: expect.stringContaining('compressed by codec 3 (lz4)'),
  })
  const seen = new Map<number, string[]>([0, 1].map((partition) => [partition, []]))
  const next = new Map([0, 1].map((partition) => [partition, 0]))
  reader = startLogReader({
    client,
    topic: topics.topic,
    groupId: `test-${randomUUID()}`,
    partitionCount: PARTITIONS,
    identity: await describeLog(client, topics.topic),
    sessionTimeoutMs: 6_000,
    batch: { recordsMax: 2, targetMs: 1_000 },
    positions: async () =>
      new Map(
        Array.from(next, ([partition, nextOffset]) => [partition, { nextOffset, lastOffset: null, lastId: null }]),
      ),
    async handle({ partition, records, firstOffset, lastOffset }) {
      expect(firstOffset).toBe(next.get(partition))
      next.set(partition, lastOffset + 1)
      seen.get(partition)?.push(...records.map(({ value }) => String(value)))
      return { type: 'done' }
    },
    log,
  })
  await eventually('3 warnings of partition 0', () => warned.filter(({ partition }) => partition === 0).length > 2)
  expect(readable.slice(0, 3)).toEqual(['a', 'b', 'c'])
  expect(seen.get(0)).toEqual(readable)
  expect(next.get(0)).toBe(readable.length)
  expect(warned).toContainEqual(
    expect.objectContaining({ partition: 0, firstOffset: readable.length, err: expect.anything() }),
  )
  expect(reader.failedBatches).toBeGreaterThan(2)
})

test.each(['gzip', 'zstd'] as const)('records that the broker stores as %s are read', async (codec) => {
  await storeAs(codec)
  await send('a', 'b', 'c')
  expect(await readAll(0)).toEqual({ values: ['a', 'b', 'c'], fault: undefined })
})
