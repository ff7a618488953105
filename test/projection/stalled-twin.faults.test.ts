import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import type { PoolClient } from 'pg'
import { numberedEvents, range, storedNumbers, writeEvents } from './event-writer.ts'

const EVENTS = 200
const MORE = 50
/** An advisory lock that inserts wait for, see `holdInserts`. */
const GATE = 4_711

/** Readers learn the partitions of their topic again within 30 s. */
const NOTICED_MS_MAX = 50_000

let world: World
/** For the second test, which only waits: it does so while the first one does. */
let regrown: World
let regrowing: Promise<ServiceProcess>

beforeAll(async () => {
  regrown = await createWorld({ partitions: 3 })
  regrowing = regrown.startService('projector').then(addPartition)
  world = await createWorld({ partitions: 1, env: { KAFKA_SESSION_TIMEOUT_MS: '6000' } })
})

afterAll(async () => {
  await world?.close()
  await regrowing
  await regrown?.close()
})

/** Answers the projector of a topic that has a partition more from now on. */
async function addPartition(projector: ServiceProcess): Promise<ServiceProcess> {
  const { topic } = regrown.topics
  await regrown.kafka().withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }))
  return projector
}

async function startProjector(untilReady: boolean): Promise<ServiceProcess> {
  return await world.startService('projector', {}, { untilReady })
}

/** Makes inserts into `events` wait until the answered connection unlocks the gate. */
async function holdInserts(): Promise<PoolClient> {
  await world.admin.query(`
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
      'begin perform pg_advisory_xact_lock_shared(${GATE}); return null; end';
    CREATE TRIGGER gate AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()`)
  const holder = await world.admin.connect()
  await holder.query('SELECT pg_advisory_lock($1)', [GATE])
  return holder
}

async function sessionsOfProjectors(where: string): Promise<number> {
  const { rowCount } = await world.admin.query(
    `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'ariftly-projector' AND ${where}`,
  )
  return rowCount ?? 0
}

const INSERTED = 'ariftly_projector_events_total{outcome="inserted"}'

/** So many rows and no more: a process counts them when its commit has been answered, which is after others see them. */
async function hasCounted(process: ServiceProcess, rows: number): Promise<void> {
  await eventually('the rows are inserted', async () => (await process.metric(INSERTED)) >= rows)
  expect(await process.metric(INSERTED)).toBe(rows)
}

test('a projector stopped inside its transaction writes nothing when it continues after another has taken over', async () => {
  const holder = await holdInserts()
  const stale = await startProjector(true)
  await writeEvents(world, numberedEvents(0, EVENTS))
  await eventually('a waiting projector', async () => (await sessionsOfProjectors(`wait_event_type = 'Lock'`)) === 1)
  // Its rows are inserted and its position is moved, not yet committed.
  stale.kill('SIGSTOP')
  const other = await startProjector(false)
  await holder.query('SELECT pg_advisory_unlock($1)', [GATE])
  holder.release()
  await eventually('a stuck projector', async () => (await sessionsOfProjectors(`state = 'idle in transaction'`)) === 1)

  // The group gives up the stopped one after its session, Postgres its transaction after 15 s.
  await eventually('all events are projected', async () => (await storedNumbers(world)).length === EVENTS)
  await writeEvents(world, numberedEvents(EVENTS, MORE))
  await eventually('the later events are projected', async () => (await storedNumbers(world)).length === EVENTS + MORE)
  await hasCounted(other, EVENTS + MORE)

  stale.kill('SIGCONT')
  await eventually(
    'the stale projector starts again',
    async () => (await stale.metric('ariftly_projector_rebuilds_total')) > 0 || (await hasRejoined(stale)),
  )
  expect(await stale.metric(INSERTED)).toBe(0)
  expect(await storedNumbers(world)).toEqual(range(0, EVENTS + MORE))
  // And it works again: alone, it continues where the other stopped.
  other.kill('SIGTERM')
  await other.exited
  await writeEvents(world, numberedEvents(EVENTS + MORE, MORE))
  await eventually('the last events', async () => (await storedNumbers(world)).length === EVENTS + 2 * MORE)
  await hasCounted(stale, MORE)
}, 150_000)

/** It has retried its batch, or has seen that the position moved. */
async function hasRejoined(process: ServiceProcess): Promise<boolean> {
  return (
    process.output().includes('a batch failed') ||
    (await process.metric('ariftly_projector_checkpoint_conflicts_total')) > 0
  )
}

test('a projector whose topic gets another partition stops reading within its metadata age, says so and stays up', async () => {
  const projector = await regrowing
  await eventually(
    'the projector names the changed partition count',
    () => projector.output().includes('partition_count_changed'),
    { timeoutMs: NOTICED_MS_MAX },
  )
  await eventually('the projector is not ready', async () => (await fetch(`${projector.url}/readyz`)).status === 503)
  expect((await fetch(`${projector.url}/livez`)).status).toBe(200)
})
