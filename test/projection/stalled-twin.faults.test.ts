import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import type { PoolClient } from 'pg'
import { createEventWriter, numberedEvents, range, type EventWriter } from './event-writer.ts'

const EVENTS = 200
const MORE = 50
/** An advisory lock that inserts wait for, see `holdInserts`. */
const GATE = 4_711

let world: World
/** For the second test, which only waits: it does so while the first one does. */
let regrown: World
let regrowing: Promise<ServiceProcess>
let writer: EventWriter
const processes: ServiceProcess[] = []

beforeAll(async () => {
  regrown = await createWorld({ partitions: 3 })
  regrowing = startServiceProcess('projector', regrown.env).then(addPartition)
  world = await createWorld({ partitions: 1, env: { KAFKA_SESSION_TIMEOUT_MS: '6000' } })
  writer = createEventWriter(world, 1)
})

afterAll(async () => {
  for (const process of processes) process.kill()
  await Promise.all(processes.map(({ exited }) => exited))
  await writer?.close()
  await world?.close()
  ;(await regrowing)?.kill()
  await regrown?.close()
})

/** Answers the projector of a topic that has a partition more from now on. */
async function addPartition(projector: ServiceProcess): Promise<ServiceProcess> {
  const writing = createEventWriter(regrown, 3)
  const { topic } = regrown.topics
  await writing.client.withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }))
  await writing.close()
  return projector
}

async function startProjector(untilReady: boolean): Promise<ServiceProcess> {
  const process = await startServiceProcess('projector', world.env, { untilReady })
  processes.push(process)
  return process
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

async function counted(process: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${process.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(name))
  return Number(line?.split(' ').at(-1) ?? 0)
}

const INSERTED = 'ariftly_projector_events_total{outcome="inserted"}'

/** So many rows and no more: a process counts them when its commit has been answered, which is after others see them. */
async function hasCounted(process: ServiceProcess, rows: number): Promise<void> {
  await eventually(async () => (await counted(process, INSERTED)) >= rows)
  expect(await counted(process, INSERTED)).toBe(rows)
}

test('a projector stopped inside its transaction writes nothing when it continues after another has taken over', async () => {
  const holder = await holdInserts()
  const stale = await startProjector(true)
  await writer.write(numberedEvents(0, EVENTS))
  await eventually(async () => (await sessionsOfProjectors(`wait_event_type = 'Lock'`)) === 1)
  // Its rows are inserted and its position is moved, not yet committed.
  stale.kill('SIGSTOP')
  const other = await startProjector(false)
  await holder.query('SELECT pg_advisory_unlock($1)', [GATE])
  holder.release()
  await eventually(async () => (await sessionsOfProjectors(`state = 'idle in transaction'`)) === 1)

  // The group gives up the stopped one after its session, Postgres its transaction after 15 s.
  await eventually(async () => (await writer.numbers()).length === EVENTS, { everyMs: 100 })
  await writer.write(numberedEvents(EVENTS, MORE))
  await eventually(async () => (await writer.numbers()).length === EVENTS + MORE)
  await hasCounted(other, EVENTS + MORE)

  stale.kill('SIGCONT')
  await eventually(
    async () => (await counted(stale, 'ariftly_projector_rebuilds_total')) > 0 || (await hasRejoined(stale)),
  )
  expect(await counted(stale, INSERTED)).toBe(0)
  expect(await writer.numbers()).toEqual(range(0, EVENTS + MORE))
  // And it works again: alone, it continues where the other stopped.
  other.kill('SIGTERM')
  await other.exited
  await writer.write(numberedEvents(EVENTS + MORE, MORE))
  await eventually(async () => (await writer.numbers()).length === EVENTS + 2 * MORE)
  await hasCounted(stale, MORE)
}, 150_000)

/** It has retried its batch, or has seen that the position moved. */
async function hasRejoined(process: ServiceProcess): Promise<boolean> {
  return (
    process.output().includes('a batch failed') ||
    (await counted(process, 'ariftly_projector_checkpoint_conflicts_total')) > 0
  )
}

test('a projector whose topic gets another partition stops reading within its metadata age, says so and stays up', async () => {
  const projector = await regrowing
  await eventually(() => projector.output().includes('partition_count_changed'), { timeoutMs: 50_000, everyMs: 100 })
  await eventually(async () => (await fetch(`${projector.url}/readyz`)).status === 503)
  expect((await fetch(`${projector.url}/livez`)).status).toBe(200)
})
