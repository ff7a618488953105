import { randomUUID } from 'node:crypto'
import { createHook } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { createTestTopics, eventually, stackAddresses } from '@ariftly/testkit'
import { createKafka } from './client.ts'
import { describeLog } from './describe-log.ts'
import { startLogReader } from './log-reader.ts'
import { createProducer } from './producer.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }

test('an idle reader and producer are woken by fewer than 20 timers a second, and make fewer than 50', async () => {
  const own = new Set<number>()
  let made = 0
  let woken = 0
  const hook = createHook({
    init(id, type) {
      if (type !== 'Timeout') return
      own.add(id)
      made += 1
    },
    before(id) {
      if (own.has(id)) woken += 1
    },
  }).enable()
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
    await eventually(() => reader.lag().get(0)?.next === 1)
    made = woken = 0
    const startedMs = performance.now()
    await delay(2_000)
    const seconds = (performance.now() - startedMs) / 1000
    expect(made / seconds).toBeLessThan(50)
    expect(woken / seconds).toBeLessThan(20)
  } finally {
    hook.disable()
    await reader.close()
    await producer.close()
    await client.close()
    await topics.delete()
  }
})
