import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { countTimers, createTestTopics, eventually, stackAddresses } from '@ariftly/testkit'
import { createKafka } from './client.ts'
import { describeLog } from '../topics/describe-log.ts'
import { startLogReader } from '../read/log-reader.ts'
import { createProducer } from '../produce/producer.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }

test('an idle reader and producer are woken by fewer than 20 timers a second, and make fewer than 50', async () => {
  const timers = countTimers()
  const client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
  const topics = await createTestTopics({ partitions: 3 })
  const identity = await describeLog(client, topics.topic)
  const producer = createProducer(client, { topic: topics.topic })
  const reader = startLogReader({
    client,
    topic: topics.topic,
    groupId: `test-${randomUUID()}`,
    partitionCount: 3,
    identity,
    positions: async (partitions) =>
      new Map(partitions.map((p) => [p, { nextOffset: 0, lastOffset: null, lastId: null }])),
    handle: async () => ({ type: 'done' }),
    log,
  })
  try {
    await producer.send([{ partition: 0, key: null, value: Buffer.from('x'), headers: {} }])
    await eventually('the record is read', () => reader.lag().get(0)?.next === 1)
    const { made, woken } = await timers.during(2_000)
    expect(made).toBeLessThan(50)
    expect(woken).toBeLessThan(20)
  } finally {
    timers.stop()
    await reader.close()
    await producer.close()
    await client.close()
    await topics.delete()
  }
})
