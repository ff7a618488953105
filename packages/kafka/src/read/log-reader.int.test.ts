import { setTimeout as delay } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { createTestTopics, eventually, stackAddresses, startKafkaProxy, type TestTopics } from '@ariftly/testkit'
import { createKafka, type KafkaClient } from '../cluster/client.ts'
import { describeLog } from '../topics/describe-log.ts'
import type { LogIdentity } from '../log-identity.ts'
import { startLogReader, type LogReader } from './log-reader.ts'
import type { LogBatch, LogGap, LogReaderOptions, Position } from './log-reader-options.ts'
import { createTopics } from '../topics/topics.ts'
import { createProducer, type EventProducer, type ProducerRecord } from '../produce/producer.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }
const PARTITIONS = 3
/** Of brokers that cannot be reached: several attempts fail. */
const DOWN_MS = 5_000
/** Below the session of a lost member, 30 s. */
const TAKEN_OVER_MS_MAX = 15_000

let client: KafkaClient
let topics: TestTopics
let producer: EventProducer
let identity: LogIdentity
const readers: LogReader[] = []

beforeAll(async () => {
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
})

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()))
  await producer.close()
  await topics.delete()
})

afterAll(() => client.close())

async function freshTopic(): Promise<void> {
  topics = await createTestTopics({ partitions: PARTITIONS })
  producer = createProducer(client, { topic: topics.topic })
  identity = await describeLog(client, topics.topic)
}

/** Waits until the expectation holds. */
async function holds(expectation: () => void): Promise<void> {
  await eventually('the expectation holds', () => {
    expectation()
    return true
  })
}

async function deleteRecordsBelow(offset: number): Promise<void> {
  await client.withAdmin(async (admin) => {
    await admin.fetchTopicOffsets(topics.topic) // kafkajs must have seen the topic first
    await admin.deleteTopicRecords({ topic: topics.topic, partitions: [{ partition: 0, offset: String(offset) }] })
  })
}

function record(partition: number, value: string, id = newEventId(Date.now())): ProducerRecord {
  return { partition, key: Buffer.from('k'), value: Buffer.from(value), headers: { ce_id: id } }
}

/** A store of positions in memory with the compare-and-set of the real one, and all values in order of partition. */
function memoryStore(starts = 0) {
  const positions = new Map<number, Position>(
    Array.from({ length: PARTITIONS }, (_, partition) => [
      partition,
      { nextOffset: starts, lastOffset: null, lastId: null },
    ]),
  )
  const values = new Map<number, string[]>()
  const batches: LogBatch[] = []
  async function handle(batch: LogBatch): Promise<{ type: 'done' } | { type: 'reread' }> {
    if (positions.get(batch.partition)?.nextOffset !== batch.firstOffset) return { type: 'reread' }
    batches.push(batch)
    const last = batch.records.at(-1)
    positions.set(batch.partition, {
      nextOffset: batch.lastOffset + 1,
      lastOffset: last?.offset ?? null,
      lastId: last ? String(last.headers['ce_id']) : null,
    })
    values.set(batch.partition, [
      ...(values.get(batch.partition) ?? []),
      ...batch.records.map(({ value }) => String(value)),
    ])
    return { type: 'done' }
  }
  return { positions, values, batches, handle, all: () => [...values.values()].flat().toSorted() }
}

function read(store: ReturnType<typeof memoryStore>, extra: Partial<LogReaderOptions> = {}): LogReader {
  const reader = startLogReader({
    client,
    topic: topics.topic,
    groupId: `test-${randomUUID()}`,
    partitionCount: PARTITIONS,
    identity,
    sessionTimeoutMs: 6_000,
    positions: async (partitions) =>
      new Map([...store.positions].filter(([partition]) => partitions.includes(partition))),
    handle: store.handle,
    log,
    ...extra,
  })
  readers.push(reader)
  return reader
}

interface ProxiedReader {
  readonly proxy: Awaited<ReturnType<typeof startKafkaProxy>>
  readonly store: ReturnType<typeof memoryStore>
  readonly reader: LogReader
}

/** Reads through a proxy that can be cut, and ends both. */
async function behindProxy(
  extra: Partial<LogReaderOptions>,
  use: (proxied: ProxiedReader) => Promise<void>,
): Promise<void> {
  const proxy = await startKafkaProxy(stackAddresses().kafka)
  const proxied = createKafka({ brokers: [`127.0.0.1:${proxy.port}`], clientId: 'test', log })
  const store = memoryStore()
  const reader = read(store, { client: proxied, ...extra })
  try {
    await use({ proxy, store, reader })
  } finally {
    await reader.close()
    await proxied.close()
    await proxy.close()
  }
}

describe('log reader', () => {
  test('hands on every record once and in order, with an unbroken run of offsets in each partition', async () => {
    await freshTopic()
    const store = memoryStore()
    const expected: string[] = []
    for (let round = 0; round < 5; round += 1) {
      const records = Array.from({ length: 60 }, (_, i) => record(i % PARTITIONS, `${round}-${i}`))
      expected.push(...records.map(({ value }) => String(value)))
      expect((await producer.send(records)).ok).toBe(true)
      if (round === 1) read(store)
    }
    await holds(() => expect(store.all()).toEqual(expected.toSorted()))
    for (const partition of [0, 1, 2]) {
      const mine = store.batches.filter((batch) => batch.partition === partition)
      expect(mine[0]?.firstOffset).toBe(0)
      for (const [index, batch] of mine.entries()) {
        if (index > 0) expect(batch.firstOffset).toBe((mine[index - 1]?.lastOffset ?? 0) + 1)
      }
      const inOrder = expected.filter((value) => Number(value.split('-')[1]) % PARTITIONS === partition)
      expect(store.values.get(partition)).toEqual(inOrder)
    }
  })

  test('a record is handed on within milliseconds while others are handled', async () => {
    await freshTopic()
    const store = memoryStore()
    const reader = read(store)
    await eventually('the reader runs', () => reader.state === 'running')
    await producer.send([record(0, 'warm')])
    await eventually('the first record is read', () => store.all().length === 1)
    const delays: number[] = []
    for (let i = 0; i < 20; i += 1) {
      const sentMs = performance.now()
      await producer.send([record(i % PARTITIONS, `${i}`)])
      await eventually(`record ${i + 2} is read`, () => store.all().length === i + 2, { everyMs: 1 })
      delays.push(performance.now() - sentMs)
    }
    expect(delays.toSorted((a, b) => a - b)[10]).toBeLessThan(250)
  })

  test('continues at the stored positions after a restart, regardless of the offsets of the group', async () => {
    await freshTopic()
    const store = memoryStore()
    const groupId = `test-${randomUUID()}`
    const first = read(store, { groupId })
    await producer.send([record(0, 'a'), record(1, 'b')])
    await eventually('the second record is read', () => store.all().length === 2)
    await first.close()
    await client.withAdmin((admin) => admin.deleteGroups([groupId]))
    await producer.send([record(0, 'c'), record(2, 'd')])
    read(store, { groupId })
    await holds(() => expect(store.all()).toEqual(['a', 'b', 'c', 'd']))
  })

  test('a failing handler gets the same batch again, and the batches behind it wait', async () => {
    await freshTopic()
    const store = memoryStore()
    let failures = 0
    const seen: number[] = []
    read(store, {
      async handle(batch) {
        if (batch.partition === 0 && failures < 3) {
          failures += 1
          seen.push(batch.firstOffset)
          throw new Error('not now')
        }
        return store.handle(batch)
      },
    })
    await producer.send([record(0, 'a'), record(1, 'b')])
    await producer.send([record(0, 'c')])
    await holds(() => expect(store.all()).toEqual(['a', 'b', 'c']))
    expect(seen).toEqual([0, 0, 0])
    expect(store.values.get(0)).toEqual(['a', 'c'])
  })

  test('reads the position again when it has moved under us, and skips what another has handled', async () => {
    await freshTopic()
    const store = memoryStore()
    const reader = read(store)
    await eventually('the reader runs', () => reader.state === 'running')
    await producer.send([record(0, 'a')])
    await eventually('the first record is read', () => store.all().length === 1)
    store.positions.set(0, { nextOffset: 3, lastOffset: null, lastId: null })
    await producer.send([record(0, 'other'), record(0, 'other')])
    await producer.send([record(0, 'd')])
    await holds(() => expect(store.all()).toEqual(['a', 'd']))
  })

  test('two readers of one group share the partitions and hand on every record exactly once', async () => {
    await freshTopic()
    const store = memoryStore()
    const groupId = `test-${randomUUID()}`
    const one = read(store, { groupId })
    await eventually('one reader has all partitions', () => one.assigned().length === PARTITIONS)
    await producer.send([record(0, 'a'), record(1, 'b'), record(2, 'c')])
    const two = read(store, { groupId })
    await eventually(
      'both readers have partitions',
      () => one.assigned().length + two.assigned().length === PARTITIONS && two.assigned().length > 0,
    )
    await producer.send([record(0, 'd'), record(1, 'e'), record(2, 'f')])
    await holds(() => expect(store.all()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']))
    await one.close()
    await producer.send([record(0, 'g'), record(1, 'h'), record(2, 'i')])
    await holds(() => expect(store.all()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']))
  })

  test('records deleted below the log start are reported as a gap, never skipped silently', async () => {
    await freshTopic()
    const store = memoryStore()
    await producer.send(Array.from({ length: 10 }, (_, i) => record(0, `${i}`)))
    await deleteRecordsBelow(4)
    const gaps: LogGap[] = []
    read(store, { onGap: async (gap) => void gaps.push(gap) })
    await holds(() => expect(store.all()).toEqual(['4', '5', '6', '7', '8', '9']))
    expect(gaps).toEqual([{ partition: 0, expected: 0, found: 4 }])
    expect(store.positions.get(0)?.nextOffset).toBe(10)
  })

  test('a log truncated while we read it is a gap too, also when no record follows', async () => {
    await freshTopic()
    const store = memoryStore()
    const gaps: LogGap[] = []
    let open = false
    const reader = read(store, {
      onGap: async (gap) => void gaps.push(gap),
      async handle(batch) {
        if (!open) throw new Error('not yet')
        return store.handle(batch)
      },
    })
    await eventually('the reader runs', () => reader.state === 'running')
    await reader.close()
    await producer.send(Array.from({ length: 10 }, (_, i) => record(0, `${i}`)))
    await deleteRecordsBelow(10)
    open = true
    read(store, { onGap: async (gap) => void gaps.push(gap) })
    await holds(() => expect(store.positions.get(0)?.nextOffset).toBe(10))
    expect(gaps).toEqual([{ partition: 0, expected: 0, found: 10 }])
  })

  test('stops with log_identity_changed on another cluster id', async () => {
    await freshTopic()
    const reader = read(memoryStore(), { identity: { ...identity, clusterId: 'another' } })
    const detail = { expected: 'another', found: identity.clusterId }
    expect(await reader.stopped).toMatchObject({ code: 'log_identity_changed', detail })
  })

  test('stops with log_identity_changed when the topic was deleted and made again, which is not written to either', async () => {
    await freshTopic()
    const bound = createProducer(client, { topic: topics.topic, identity: () => identity })
    expect((await bound.send([record(0, 'a'), record(0, 'b')])).ok).toBe(true)
    const store = memoryStore()
    const reader = read(store, { groupId: undefined })
    await holds(() => expect(store.all()).toEqual(['a', 'b']))
    await client.withAdmin((admin) => admin.deleteTopics({ topics: [topics.topic] }))
    await eventually('the client is built again', () => reader.rebuilds > 0)
    await createTopics(client, { ...topics, partitions: PARTITIONS, replication: 1 })
    await producer.send([record(0, 'x'), record(0, 'y'), record(0, 'z'), record(1, 'u')])
    // Unknown when the time ends during a request; the ends of the log below show that nothing was written.
    const { partitions } = await bound.send([record(0, 'c')], { timeoutMs: 600 })
    expect(['unsent', 'unknown']).toContain(partitions.get(0)?.type)
    await bound.close()
    const found = await describeLog(client, topics.topic)
    const detail = { expected: identity.topicId, found: found.topicId }
    expect(await reader.stopped).toMatchObject({ code: 'log_identity_changed', detail })
    expect(store.all()).toEqual(['a', 'b'])
    expect(found.partitions.map(({ logEnd }) => logEnd)).toEqual([3, 1, 0])
  })

  test('stops with log_identity_changed when the log ends before the stored position', async () => {
    await freshTopic()
    await producer.send([record(0, 'a')])
    const store = memoryStore()
    store.positions.set(0, { nextOffset: 7, lastOffset: 6, lastId: newEventId(1) })
    const reader = read(store)
    expect(await reader.stopped).toMatchObject({ code: 'log_identity_changed' })
    expect(store.all()).toEqual([])
  })

  test('stops with log_identity_changed when another record is at the offset of the last one read', async () => {
    await freshTopic()
    await producer.send([record(0, 'a'), record(0, 'b'), record(0, 'c')])
    const store = memoryStore()
    store.positions.set(0, { nextOffset: 2, lastOffset: 1, lastId: newEventId(1) })
    const reader = read(store)
    expect(await reader.stopped).toMatchObject({ code: 'log_identity_changed' })
    expect(store.all()).toEqual([])
  })

  test('stops with partition_count_changed when the topic has another number of partitions', async () => {
    await freshTopic()
    const reader = read(memoryStore(), { partitionCount: PARTITIONS + 1 })
    expect(await reader.stopped).toMatchObject({ code: 'partition_count_changed' })
  })

  test('skips transaction markers and aborted records without reporting a gap', async () => {
    await freshTopic()
    const store = memoryStore()
    const gaps: LogGap[] = []
    const reader = read(store, { onGap: async (gap) => void gaps.push(gap) })
    const transactional = client.kafka.producer({
      transactionalId: randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await transactional.connect()
    for (const [value, keep] of [
      ['a', true],
      ['x', false],
      ['b', true],
    ] as const) {
      const transaction = await transactional.transaction()
      await transaction.send({
        topic: topics.topic,
        messages: [{ partition: 0, key: 'k', value, headers: { ce_id: newEventId(1) } }],
      })
      await (keep ? transaction.commit() : transaction.abort())
    }
    await transactional.disconnect()
    await holds(() => expect(store.all()).toEqual(['a', 'b']))
    await holds(() => expect(store.positions.get(0)?.nextOffset).toBe(6))
    expect(gaps).toEqual([])
    expect(reader.lag().get(0)).toEqual({ next: 6, highWatermark: 6 })
  })

  test('a membership that is silent for too long is replaced and counted, and nothing is lost or handled twice', async () => {
    await freshTopic()
    const store = memoryStore()
    let jumpedMs = 0
    const reader = read(store, { clock: () => performance.now() + jumpedMs })
    await producer.send([record(0, 'a')])
    await holds(() => expect(store.all()).toEqual(['a']))
    // For the watchdog's clock, the coordinator has now been silent for minutes.
    await eventually('the client is built again', () => {
      jumpedMs += 60_000
      return reader.rebuilds > 0
    })
    await producer.send([record(0, 'b'), record(1, 'c')])
    await holds(() => expect(store.all()).toEqual(['a', 'b', 'c']))
    expect(reader.state).toBe('running')
  })

  test('a reader without a group reads all partitions, and they are not shared out', async () => {
    await freshTopic()
    const store = memoryStore()
    const other = memoryStore()
    const one = read(store, { groupId: undefined })
    const two = read(other, { groupId: undefined })
    await producer.send([record(0, 'a'), record(1, 'b'), record(2, 'c')])
    await holds(() =>
      expect([store.all(), other.all()]).toEqual([
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ]),
    )
    expect([one.assigned(), two.assigned()]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  test.each([
    ['a group', { groupId: `test-${randomUUID()}`, sessionTimeoutMs: 30_000 }],
    ['none', { groupId: undefined }],
  ])('continues without waiting for a session after the brokers were unavailable: in %s', async (_, membership) => {
    await freshTopic()
    await behindProxy(membership, async ({ proxy, store, reader }) => {
      await producer.send([record(0, 'before')])
      await holds(() => expect(store.all()).toEqual(['before']))
      proxy.cutAfterBytes(1)
      proxy.dropAll()
      await delay(DOWN_MS)
      await producer.send([record(0, 'after')])
      proxy.cutAfterBytes(undefined)
      await eventually('both records are read', () => store.all().length === 2, { timeoutMs: TAKEN_OVER_MS_MAX })
      expect(store.all()).toEqual(['after', 'before'])
      expect(reader.rebuilds).toBeGreaterThan(0)
    })
  })

  test('checks the identity of the log again when its connection was cut', async () => {
    await freshTopic()
    await behindProxy({ groupId: undefined }, async ({ proxy, store, reader }) => {
      await producer.send([record(0, 'a'), record(0, 'b')])
      await holds(() => expect(store.all()).toEqual(['a', 'b']))
      // As if another log were there when the connection is back.
      store.positions.set(0, { nextOffset: 2, lastOffset: 1, lastId: newEventId(1) })
      proxy.dropAll()
      expect(await reader.stopped).toMatchObject({ code: 'log_identity_changed' })
    })
  })

  test('a reader that is closed while it starts leaves no member in its group', async () => {
    await freshTopic()
    const store = memoryStore()
    const membership = { groupId: `test-${randomUUID()}`, sessionTimeoutMs: 30_000 }
    for (const closeAfterMs of [0, 5, 20, 40, 60, 80, 120]) {
      const early = read(store, membership)
      await delay(closeAfterMs)
      await early.close()
    }
    const reader = read(store, membership)
    await producer.send([record(0, 'a'), record(1, 'b')])
    // Sooner than the session of a lost member expires at the broker.
    await eventually('both records are read', () => store.all().length === 2, { timeoutMs: TAKEN_OVER_MS_MAX })
    expect(reader.assigned()).toEqual(Array.from({ length: PARTITIONS }, (_, partition) => partition))
  })

  test('a close is prompt, and aborts the signal of a handler that waits', async () => {
    await freshTopic()
    let aborted = false
    let entered = false
    const reader = read(memoryStore(), {
      handle: (_batch, signal) =>
        new Promise((_, reject) => {
          entered = true
          signal.addEventListener('abort', () => {
            aborted = true
            reject(new Error('aborted'))
          })
        }),
    })
    await producer.send([record(0, 'a')])
    await eventually('the handler is entered', () => entered)
    const startedMs = performance.now()
    await reader.close()
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(aborted).toBe(true)
    expect(reader.state).toBe('stopped')
  })
})
