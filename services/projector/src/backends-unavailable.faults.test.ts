import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { newEventId } from '@ariftly/events'
import { createKafka, createProducer, type EventProducer, type KafkaClient } from '@ariftly/kafka'
import type { Running } from '@ariftly/runtime'
import {
  createWorld,
  eventually,
  recordsOf,
  silentLog,
  startInProcess,
  startOwnStack,
  type World,
} from '@ariftly/testkit'
import { projectorConfig, start } from './service.ts'
import { event } from './test-batches.ts'

const PARTITIONS = 3
/** Longer than a request to the backend waits. */
const DOWN_MS = 3_000

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
  client = createKafka({ brokers: [stack.addresses.kafka], clientId: 'test', log: silentLog, requestTimeoutMs: 3_000 })
  producer = createProducer(client, { topic: world.topics.topic })
  const env = { ...world.env, KAFKA_SESSION_TIMEOUT_MS: '6000' }
  projector = await startInProcess({ config: projectorConfig, start }, env, { untilReady: false })
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
  const records = recordsOf(
    ids.map((id, i) => event(`task_${i % 20}`, id, id)),
    PARTITIONS,
  )
  await eventually('the records are in the log', async () => (await producer.send(records, { timeoutMs: 3_000 })).ok)
  return ids
}

async function projectedIds(): Promise<string[]> {
  const { rows } = await world.admin.query<{ message: string }>(`SELECT data->>'message' AS message FROM events`)
  return rows.map(({ message }) => message).toSorted()
}

async function projectsAll(ids: readonly string[]): Promise<void> {
  await eventually('the events are projected', async () => {
    expect(await projectedIds()).toEqual(ids.toSorted())
    return true
  })
}

describe('projector, with a backend that becomes unavailable', () => {
  test('continues without a restart after the broker was killed and started again', async () => {
    const ids = await post(100)
    await projectsAll(ids)
    await stack.kafka?.kill()
    await delay(DOWN_MS)
    await stack.kafka?.start()
    ids.push(...(await post(100)))
    await projectsAll(ids)
  })

  test('waits for Postgres, loses and doubles nothing', async () => {
    const ids = await post(100)
    await projectsAll(ids)
    await stack.postgres?.kill()
    ids.push(...(await post(100)))
    await delay(DOWN_MS)
    await stack.postgres?.start()
    await projectsAll(ids)
  })
})
