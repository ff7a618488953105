import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { encodeRecord, partitionOf } from '@ariftly/events'
import { createProducer, scanLog } from '@ariftly/kafka'
import type { Running } from '@ariftly/runtime'
import { createWorld, eventually, startInProcess, type World } from '@ariftly/testkit'
import { projectorConfig, start } from './service.ts'
import { event } from './test-batches.ts'

/** More than the transactions of a batch writer, so that these partitions would fill all of them. */
const BAD_RECORDS = 7
const BAD_ROWS = 7
const HEALTHY = 2
const PARTITIONS = BAD_RECORDS + BAD_ROWS + HEALTHY
/** Above what is a small batch. */
const EVENTS = 500
/** Far below the 10 s of a send that is refused. */
const HEALTHY_MS = 5_000

let world: World
let projector: Running

beforeEach(async () => {
  world = await createWorld({ partitions: PARTITIONS })
  await world.admin.query(`ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' <> 'poison')`)
})

afterEach(async () => {
  await projector.close()
  await world.close()
})

/** Without the topic each send is tried again until its time is over, as without a leader or with too few replicas. */
async function deleteDeadLetterTopic(): Promise<void> {
  await world.kafka().withAdmin((admin) => admin.deleteTopics({ topics: [world.topics.dlqTopic] }))
  const writer = createProducer(world.kafka(), { topic: world.topics.dlqTopic })
  try {
    const records = [{ partition: 0, key: null, value: null, headers: {} }]
    await eventually('the topic refuses records', async () => !(await writer.send(records, { timeoutMs: 500 })).ok)
  } finally {
    await writer.close()
  }
}

async function createDeadLetterTopic(): Promise<void> {
  const topics = [{ topic: world.topics.dlqTopic, numPartitions: 1 }]
  await world.kafka().withAdmin((admin) => admin.createTopics({ topics }))
}

function taskOf(partition: number): string {
  for (let n = 0; ; n += 1) if (partitionOf(`acme/task_${n}`, PARTITIONS) === partition) return `task_${n}`
}

function recordOf(partition: number, message: string) {
  return { ...encodeRecord(event(taskOf(partition), message)), partition }
}

/** So many partitions, from one on. */
function partitionsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => first + n)
}

async function rowsByPartition(): Promise<Readonly<Record<string, number>>> {
  const { rows } = await world.admin.query<{ partition: number; count: number }>(
    'SELECT partition, count(*)::int AS count FROM events GROUP BY partition ORDER BY partition',
  )
  return Object.fromEntries(rows.map(({ partition, count }) => [partition, count]))
}

async function movedPartitions(): Promise<readonly number[]> {
  const { rows } = await world.admin.query<{ partition: number }>(
    'SELECT partition FROM projection_offsets WHERE next_offset > 0 ORDER BY partition',
  )
  return rows.map(({ partition }) => partition)
}

async function deadLetterPartitions(): Promise<readonly number[]> {
  const found = []
  for await (const records of scanLog(world.kafka(), {
    topic: world.topics.dlqTopic,
    partition: 0,
    from: 0,
    to: 1e9,
  })) {
    found.push(...records)
  }
  const named = found.flatMap(({ headers }) => headers['dlq_partition'] ?? [])
  return [...new Set(named.map(Number))].toSorted((a, b) => a - b)
}

test('while dead letters cannot be written, the partitions without one continue, and no other position moves', async () => {
  const badRecords = partitionsFrom(0, BAD_RECORDS)
  const badRows = partitionsFrom(BAD_RECORDS, BAD_ROWS)
  const healthy = partitionsFrom(BAD_RECORDS + BAD_ROWS, HEALTHY)
  await deleteDeadLetterTopic()
  const records = [
    ...badRecords.map((partition) => ({ partition, key: null, value: null, headers: {} })),
    ...badRows.map((partition) => recordOf(partition, 'poison')),
    ...[...badRecords, ...badRows].map((partition) => recordOf(partition, 'behind')),
  ]
  expect((await world.producer().send(records)).ok).toBe(true)
  projector = await startInProcess(
    { config: projectorConfig, start },
    { ...world.env, KAFKA_SESSION_TIMEOUT_MS: '6000' },
  )
  await eventually('the projector is ready', () => projector.ready().ready)

  const many = healthy.flatMap((partition) => Array.from({ length: EVENTS }, () => recordOf(partition, 'x')))
  expect((await world.producer().send(many)).ok).toBe(true)
  const expected = Object.fromEntries(healthy.map((partition) => [partition, EVENTS]))
  await eventually(
    'the rows of the healthy partitions',
    async () => expect(await rowsByPartition()).toEqual(expected) === undefined,
    {
      timeoutMs: HEALTHY_MS,
    },
  )
  expect(await movedPartitions()).toEqual(healthy)

  await createDeadLetterTopic()
  await eventually('all partitions have moved on', async () => (await movedPartitions()).length === PARTITIONS)
  const behind = Object.fromEntries([...badRecords, ...badRows].map((partition) => [partition, 1]))
  expect(await rowsByPartition()).toEqual({ ...behind, ...expected })
  expect(await deadLetterPartitions()).toEqual([...badRecords, ...badRows])
}, 60_000)
