import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createKafka } from '@ariftly/kafka'
import { createLogger, type Fault } from '@ariftly/runtime'
import { createTestTopics, eventually, stackAddresses, type TestTopics } from '@ariftly/testkit'
import { Kafka, logLevel } from 'kafkajs'
import { startTopicCheck } from './kafka-check.ts'

let topics: TestTopics

beforeAll(async () => {
  topics = await createTestTopics({ partitions: 3 })
})

afterAll(async () => {
  await topics?.delete()
})

test('a topic that is given more partitions is noticed, and the check is broken from then on', async () => {
  const brokers = [stackAddresses().kafka]
  const log = createLogger({ service: 'test', level: 'silent' })
  const kafka = createKafka({ brokers, clientId: 'test', log })
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  const ending = new AbortController()
  await admin.connect()
  try {
    const broken: Fault[] = []
    const options = { kafka, topic: topics.topic, partitions: 3, signal: ending.signal, log, everyMs: 50 }
    const check = startTopicCheck({ ...options, onBroken: (fault) => broken.push(fault) })
    await check.first
    expect(check.state).toBe('ok')
    await admin.createPartitions({ topicPartitions: [{ topic: topics.topic, count: 4 }] })
    await eventually(() => broken.length > 0)
    expect(broken.map(({ code }) => code)).toEqual(['partition_count_changed'])
    expect(check.state).toBe('broken')
  } finally {
    ending.abort()
    await admin.disconnect()
    await kafka.close()
  }
})
