import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { newEventId, partitionOf } from '@ariftly/events'
import type { DeadLetter } from '@ariftly/kafka'
import { createPool, isMissingPartition, SERVICE_ROLE, withTransaction, type Pool } from '@ariftly/store'
import { currentEpoch, ensurePositions, readPositions } from '@ariftly/store/projection'
import { createWorld, eventually, recordViewOf, type World } from '@ariftly/testkit'
import { CONNECTIONS, createBatchWriter } from './batch-writer.ts'
import { decodeBatch } from './decode-batch.ts'
import { createEventPartitions, type EventPartitions } from './event-partitions.ts'
import { batchOf, event } from './test-batches.ts'
import type { ReadBatch, WriteOutcome } from './write-batches.ts'

const PARTITIONS = 3
const DAY_MS = 86_400_000

let world: World
let pool: Pool
let epoch: number
let inserted: number
let expired: number
let deadLetters: DeadLetter[]
let eventPartitions: EventPartitions
let write: (one: ReadBatch) => Promise<WriteOutcome>

beforeEach(async () => {
  world = await createWorld({ partitions: PARTITIONS })
  pool = createPool({ url: world.database.url, applicationName: 'test', max: CONNECTIONS, role: SERVICE_ROLE })
  const { topic } = world.topics
  epoch = (await currentEpoch(pool, topic))?.epoch ?? 0
  const starts = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]))
  await ensurePositions(pool, { projection: 'events', epoch, topic, starts })
  inserted = 0
  expired = 0
  deadLetters = []
  eventPartitions = createEventPartitions(pool)
  write = createBatchWriter({
    pool,
    epoch,
    topic,
    eventPartitions,
    writeDeadLetters: async (given) => void deadLetters.push(...given),
    onWritten: (outcome) => {
      inserted += outcome.inserted
      expired += outcome.expired
    },
  })
})

afterEach(async () => {
  await pool.end()
  await world.close()
})

/** A batch of a partition with these texts. */
function read(partition: number, texts: readonly string[]): ReadBatch {
  const task = taskOf(partition)
  const batch = batchOf(
    texts.map((text) => event(task, text)),
    { partition },
  )
  return { batch, decoded: decodeBatch(batch, { epoch, partitions: PARTITIONS }) }
}

function taskOf(partition: number): string {
  for (let n = 0; ; n += 1) if (partitionOf(`acme/task_${n}`, PARTITIONS) === partition) return `task_${n}`
}

async function stored(): Promise<readonly { message: string; xmin: string }[]> {
  const { rows } = await world.admin.query<{ message: string; xmin: string }>(
    `SELECT data->>'message' AS message, xmin::text FROM events ORDER BY partition, "offset"`,
  )
  return rows
}

async function messages(): Promise<readonly string[]> {
  return (await stored()).map(({ message }) => message)
}

async function positions(): Promise<readonly (number | undefined)[]> {
  const all = await readPositions(pool, { projection: 'events', epoch, topic: world.topics.topic })
  return [0, 1, 2].map((partition) => all.get(partition)?.nextOffset)
}

test('small batches of several partitions are one transaction', async () => {
  const outcomes = await Promise.all([read(0, ['a', 'b']), read(1, ['c']), read(2, ['d'])].map(write))
  expect(outcomes.map(({ type }) => type)).toEqual(['written', 'written', 'written'])
  expect(await messages()).toEqual(['a', 'b', 'c', 'd'])
  expect(new Set((await stored()).map(({ xmin }) => xmin)).size).toBe(1)
  expect(await positions()).toEqual([2, 1, 1])
  expect(inserted).toBe(4)
})

test('records of a deleted tenant become neither rows nor dead letters, from the start of its deletion', async () => {
  const partition = partitionOf('other/task_0', PARTITIONS)
  const good = batchOf([event(taskOf(partition), 'acme'), { ...event('task_0', 'other'), tenant: 'other' }], {
    partition,
  })
  // Of the deleted tenant by each of the three signs, of another tenant, and of no tenant.
  const bad = [
    { headers: { ce_tenant: 'acme', ce_source: '/tenants/other' }, key: Buffer.from('other/t') },
    { headers: { ce_source: '/tenants/other' }, key: Buffer.from('acme/t') },
    { headers: { ce_source: '/tenants/acme/agents/a' }, key: null },
    { headers: { ce_tenant: 'other' }, key: Buffer.from('acme/t') },
    { headers: {}, key: null },
  ].map((one, n) => recordViewOf({ ...one, partition, offset: n + 2, timestampMs: Date.now(), value: null }))
  const batch = { partition, records: [...good.records, ...bad], firstOffset: 0, lastOffset: 6 }
  await world.admin.query(`INSERT INTO tenants (id, state) VALUES ('acme', 'deleting')`)
  const outcome = await write({ batch, decoded: decodeBatch(batch, { epoch, partitions: PARTITIONS }) })
  expect(outcome).toMatchObject({ type: 'written', inserted: 1, deadLetters: 2, deleted: 4 })
  expect(await messages()).toEqual(['other'])
  expect(deadLetters.map(({ record }) => record.offset)).toEqual([5, 6])
})

test('a large batch is a transaction of its own', async () => {
  const many = Array.from({ length: 200 }, (_, n) => `${n}`)
  await Promise.all([write(read(0, many)), write(read(1, ['small']))])
  expect(new Set((await stored()).map(({ xmin }) => xmin)).size).toBe(2)
})

test('writes nothing of a partition whose position has been moved, and writes the other batches', async () => {
  await write(read(1, ['first']))
  const outcomes = await Promise.all([read(0, ['a']), read(1, ['again']), read(2, ['c'])].map(write))
  expect(outcomes.map(({ type }) => type)).toEqual(['written', 'lost', 'written'])
  expect(await messages()).toEqual(['a', 'first', 'c'])
  expect(await positions()).toEqual([1, 1, 1])
  expect(inserted).toBe(3)
})

test('a row that Postgres refuses is a dead letter of its partition, and the others are stored', async () => {
  await world.admin.query(`ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' <> 'poison')`)
  await Promise.all([read(0, ['a']), read(1, ['b', 'poison']), read(2, ['c'])].map(write))
  expect(await messages()).toEqual(['a', 'b', 'c'])
  expect(deadLetters).toMatchObject([{ reason: 'not_storable', record: { partition: 1, offset: 1 } }])
  expect(await positions()).toEqual([1, 2, 1])
})

test('a position that another transaction has locked delays no other batch', async () => {
  const written: number[] = []
  let all: Promise<unknown> = Promise.resolve()
  await withTransaction(world.admin, async (tx) => {
    await tx.query('SELECT FROM projection_offsets WHERE partition = 1 FOR UPDATE')
    all = Promise.all([0, 1, 2].map((partition) => write(read(partition, ['x'])).then(() => written.push(partition))))
    await eventually('2 writes', () => written.length === 2)
    expect(new Set(written)).toEqual(new Set([0, 2]))
  })
  await all
  expect(await positions()).toEqual([1, 1, 1])
})

test('when a batch fails the others are written', async () => {
  await world.admin.query(
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
     CREATE TRIGGER fails BEFORE UPDATE ON projection_offsets FOR EACH ROW WHEN (old.partition = 2) EXECUTE FUNCTION fail()`,
  )
  const outcomes = await Promise.allSettled([read(0, ['a']), read(1, ['b']), read(2, ['c'])].map(write))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(await messages()).toEqual(['a', 'b'])
  expect(inserted).toBe(2)
})

/** A batch of partition 0, appended so many days before the clock of Postgres: that is, this clock is so many days ahead. */
async function readAt(daysAgo: number, idDaysBefore: readonly number[]): Promise<ReadBatch> {
  const appendedMs = Date.now() - daysAgo * DAY_MS
  const events = idDaysBefore.map((days) => event(taskOf(0), `${days}`, newEventId(appendedMs - days * DAY_MS)))
  const batch = batchOf(events, { appendedMs })
  const one = { batch, decoded: decodeBatch(batch, { epoch, partitions: PARTITIONS }) }
  await eventPartitions.ensure(one.decoded.events)
  return one
}

test('while the clock of Postgres is 200 days ahead, or behind, each event is stored', async () => {
  await write(await readAt(200, [0, 89]))
  expect(await messages()).toEqual(['0', '89'])
  await world.admin.query('UPDATE projection_offsets SET next_offset = 0')
  await write(await readAt(-200, [0, 80]))
  expect((await messages()).toSorted()).toEqual(['0', '0', '80', '89'])
  expect(deadLetters).toEqual([])
  expect(expired).toBe(0)
})

test('an event that is older than the kept history is passed over and counted', async () => {
  await world.admin.query('UPDATE retention SET events_days = 35')
  await write(await readAt(0, [85, 1, 40]))
  expect(await messages()).toEqual(['1', '40'])
  expect(expired).toBe(1)
  expect(deadLetters).toEqual([])
  expect(await positions()).toEqual([3, 0, 0])
})

test('an event whose week is missing waits until it can be made, and is no dead letter', async () => {
  const { rows } = await world.admin.query<{ definition: string }>(
    `SELECT pg_get_functiondef('create_weekly_partitions'::regproc) AS definition`,
  )
  const noop = `CREATE OR REPLACE FUNCTION create_weekly_partitions(parent text, min_ms bigint, max_ms bigint) RETURNS integer LANGUAGE sql RETURN 0`
  await world.admin.query(noop)
  const one = await readAt(200, [0])
  const refused = await write(one).catch((error: unknown) => error)
  expect(isMissingPartition(refused)).toBe(true)
  expect(await positions()).toEqual([0, 0, 0])
  await world.admin.query(String(rows[0]?.definition))
  await write(one)
  expect(await messages()).toEqual(['0'])
  expect(deadLetters).toEqual([])
})
