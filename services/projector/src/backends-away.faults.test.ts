import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeRecord, newEventId, partitionOf } from '@ariftly/events'
import { createKafka, createProducer, type EventProducer, type KafkaClient } from '@ariftly/kafka'
import { createLogger, createMetrics, readConfig, type Running } from '@ariftly/runtime'
import { createWorld, eventually, startOwnStack, type World } from '@ariftly/testkit'
import { projectorConfig, start } from './service.ts'
import { event } from './test-batches.ts'

const PARTITIONS = 3
const log = createLogger({ service: 'test', level: process.env['TEST_LOG'] ?? 'silent' })

let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World
let client: KafkaClient
let producer: EventProducer
let projector: Running

beforeAll(async () => {
  stack = await startOwnStack()
})
afterAll(() => stack?.close())

beforeEach(async () => {
  world = await createWorld({ partitions: PARTITIONS, addresses: stack.addresses })
  // A test's Postgres may forget its last commits when it is killed; a real one does not.
  await world.admin.query('ALTER ROLE ALL SET synchronous_commit = on')
  client = createKafka({ brokers: [stack.addresses.kafka], clientId: 'test', log, requestTimeoutMs: 3_000 })
  producer = createProducer(client, { topic: world.topics.topic })
  const config = readConfig(projectorConfig, { ...world.env, KAFKA_SESSION_TIMEOUT_MS: '6000' })
  projector = await start(config, { log, metrics: createMetrics(), signal: new AbortController().signal })
})

afterEach(async () => {
  await projector.close()
  await producer.close()
  await client.close()
  await world.close()
})

/** Posts until Kafka has acknowledged it: an id that was left open is posted again, as a client does. */
async function post(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newEventId(Date.now()))
  const records = ids.map((id, i) => {
    const record = encodeRecord(event(`task_${i % 20}`, id, id))
    return { ...record, partition: partitionOf(record.key, PARTITIONS) }
  })
  await eventually(async () => (await producer.send(records, { timeoutMs: 3_000 })).ok)
  return ids
}

async function projectedIds(): Promise<string[]> {
  const { rows } = await world.admin.query<{ message: string }>(`SELECT data->>'message' AS message FROM events`)
  return rows.map(({ message }) => message).toSorted()
}

async function projectsAll(ids: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      expect(await projectedIds()).toEqual(ids.toSorted())
      return true
    },
    { everyMs: 200 },
  )
}

describe('projector, with a backend that becomes unavailable', () => {
  test('continues without a restart after the broker was killed and started again', async () => {
    const ids = await post(100)
    await projectsAll(ids)
    await stack.kafka?.kill()
    await delay(3_000)
    await stack.kafka?.start()
    ids.push(...(await post(100)))
    await projectsAll(ids)
  })

  test('waits for Postgres, loses and doubles nothing', async () => {
    const ids = await post(100)
    await projectsAll(ids)
    await stack.postgres?.kill()
    ids.push(...(await post(100)))
    await delay(2_000)
    await stack.postgres?.start()
    await projectsAll(ids)
  })
})
