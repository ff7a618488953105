import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { makeJobSlice, withTransaction, type Pool } from '@ariftly/store'
import { ensurePositions, openEpoch } from '@ariftly/store/projection'
import { findPosition, getReplay, insertReplay, stopReplay, type ReplayRow } from '@ariftly/store/replays'
import { deleteWebhook } from '@ariftly/store/webhooks'
import {
  type ProjectedEvent,
  createTestDatabase,
  insertEvents,
  insertLogTimes,
  insertSampleWebhook,
  sampleRow,
} from '@ariftly/testkit'
import { replayJobs, type ReplayJobsOptions } from './replay-slice.ts'

const PARTITIONS = 3
const EVENTS = 900
const TOPIC = 'ariftly.events.v1'
const tenant = 'mine'
/** One event every 4 s of log time, over the last hour. */
const STEP_MS = 4000
const startMs = Date.now() - EVENTS * STEP_MS

const database = await createTestDatabase()
const pool = database.openPool({ applicationName: 'replay-1' })
const other = database.openPool({ applicationName: 'replay-2' })
const admin = database.openPool({ owner: true })
let webhookId: string
let model: readonly ProjectedEvent[]

beforeAll(async () => {
  await openEpoch(admin, { topic: TOPIC, clusterId: 'test', topicId: 'test' })
  const starts = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]))
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: TOPIC, starts })
  model = Array.from({ length: EVENTS }, (_, index) => eventAt(index))
  await insertEvents(admin, model)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const times = model.filter((event) => event.partition === partition)
    await withTransaction(admin, (tx) => insertLogTimes(tx, { epoch: 1, times }))
  }
})
afterAll(() => database.drop())
beforeEach(async () => {
  await admin.query('DELETE FROM deliveries')
  await admin.query(`UPDATE webhook_replays SET state = 'cancelled', finished_at = now() WHERE state = 'running'`)
  webhookId = await subscribe()
})

function eventAt(index: number): ProjectedEvent {
  const appendedAtMs = startMs + index * STEP_MS
  const task = `task-${index % 7}`
  return sampleRow({
    tenant: index % 10 === 9 ? 'other' : tenant,
    id: newEventId(appendedAtMs - (index % 5) * 86_400_000),
    type: EVENT_TYPES[index % 4] ?? 'task.created',
    taskId: task,
    agent: index % 2 === 0 ? 'even' : null,
    data: Buffer.from(`{"task_id":"${task}"}`),
    partition: index % PARTITIONS,
    offset: Math.floor(index / PARTITIONS),
    appendedAtMs,
  })
}

function subscribe(changes: Parameters<typeof insertSampleWebhook>[1] = {}): Promise<string> {
  return insertSampleWebhook(pool, { tenant, ...changes })
}

type Asked = Partial<Parameters<typeof insertReplay>[1]>

async function ask(changes: Asked = {}): Promise<string> {
  const id = newTypeId('rpl')
  const span = { afterMs: startMs - 1, beforeMs: Date.now() }
  const all = { types: null, deliveryStatus: null, dryRun: false }
  expect(await insertReplay(pool, { id, tenant, webhookId, ...span, ...all, ...changes })).toMatchObject({ id })
  return id
}

type SliceOptions = Partial<ReplayJobsOptions>
type ReplayJobs = ReturnType<typeof replayJobs>

/** The log ends where the projection does, unless another end is given. */
function jobsOf(options: SliceOptions = {}): ReplayJobs {
  return replayJobs({ pool, onReplayed() {}, logEnd: async () => 0, ...options })
}

/** Makes the next slice; undefined when there is none to make. */
async function makeReplaySlice(options: SliceOptions | ReplayJobs = {}) {
  const jobs = 'makeSlice' in options ? options : jobsOf(options)
  const slice = await makeJobSlice(jobs)
  if (slice !== undefined) await jobs.madeSlice(slice, 0)
  return slice
}

/** Makes slices until nothing runs. */
async function run(options: SliceOptions = {}): Promise<void> {
  const jobs = jobsOf({ eventsMax: 50, ...options })
  while ((await makeReplaySlice(jobs)) !== undefined);
}

async function replayOf(id: string, webhook = webhookId): Promise<ReplayRow | undefined> {
  return await getReplay(pool, { tenant, webhookId: webhook, id })
}

/** The events of which the webhook has a delivery in one of these states, sorted. */
async function eventsIn(...states: string[]): Promise<string[]> {
  const { rows } = await admin.query<{ event_id: string }>(
    'SELECT event_id FROM deliveries WHERE webhook_id = $1 AND state = ANY ($2) ORDER BY event_id',
    [typeIdToUuid('whk', webhookId), states],
  )
  return rows.map((row) => row.event_id)
}

function wanted(is: (event: ProjectedEvent) => boolean): string[] {
  const events = model.filter((event) => event.tenant === tenant && is(event))
  return events.map(({ id }) => typeIdToUuid('evt', id)).toSorted()
}

async function finish(state: string, count: number): Promise<void> {
  await admin.query(
    `UPDATE deliveries SET state = $2, due_at = NULL, finished_at = now(), attempt = 3, attempt_count = 3
      WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = $1 AND state = 'pending' LIMIT $3)`,
    [typeIdToUuid('whk', webhookId), state, count],
  )
}

describe('a replay', () => {
  test('makes one pending delivery of each event between its bounds, which are exclusive and log time', async () => {
    const [first, last] = [model[100], model[700]]
    if (first === undefined || last === undefined) throw new Error('no model')
    const id = await ask({ afterMs: first.appendedAtMs, beforeMs: last.appendedAtMs })
    await run()
    const between = wanted((event) => event.appendedAtMs > first.appendedAtMs && event.appendedAtMs < last.appendedAtMs)
    expect(await eventsIn('pending')).toEqual(between)
    expect(await replayOf(id)).toMatchObject({ state: 'completed', deliveryCount: between.length, dryRun: false })
  })

  test('from a position takes exactly the events after it in each partition, at any time, and all of a new partition', async () => {
    const [first, second] = [120, 40]
    const behind = ({ partition, offset }: ProjectedEvent): boolean =>
      [first, second, 0].some((from, of) => of === partition && offset >= from)
    const position = { epoch: 1, offsets: [first, second] }
    // Later than all of them: no time decides.
    const id = await ask({ afterMs: Date.now() - 1, from: { text: 'v1.given', position } })
    await run()
    expect(await eventsIn('pending')).toEqual(wanted(behind))
    expect(await replayOf(id)).toMatchObject({ state: 'completed', from: 'v1.given', truncated: false })
    const found = await findPosition(pool, { ...position, tenant })
    expect(found).toEqual({
      isCurrent: true,
      firstAppendedMs: Math.min(...model.filter(behind).map(({ appendedAtMs }) => appendedAtMs)),
      firstEventMs: Math.min(
        ...model.filter((event) => event.tenant === tenant && behind(event)).map(({ appendedAtMs }) => appendedAtMs),
      ),
    })
    expect(await findPosition(pool, { epoch: 2, offsets: [0], tenant })).toMatchObject({ isCurrent: false })
    const atEnd = [EVENTS, EVENTS, EVENTS]
    expect(await findPosition(pool, { epoch: 1, offsets: atEnd, tenant })).toEqual({
      isCurrent: true,
      firstAppendedMs: null,
      firstEventMs: null,
    })
  })

  test('begins early enough when the clock of the log was set back', async () => {
    const nowMs = Date.now()
    const events = [40_000, 5_000, 10_000, 20_000].map((ms, index) => ({
      ...eventAt(0),
      tenant: 'set-back',
      id: newEventId(nowMs + index),
      partition: 2,
      offset: 10_000 + index,
      appendedAtMs: nowMs + ms,
    }))
    await insertEvents(admin, events)
    await withTransaction(admin, (tx) => insertLogTimes(tx, { epoch: 1, times: events }))
    webhookId = await subscribe({ tenant: 'set-back' })
    await ask({ tenant: 'set-back', afterMs: nowMs + 10_000, beforeMs: nowMs + 50_000 })
    await run()
    const later = [events[0], events[3]].map((event) => typeIdToUuid('evt', event?.id ?? ''))
    expect(await eventsIn('pending')).toEqual(later)
  })

  test('takes only events that the webhook wants, of the types that are asked for', async () => {
    webhookId = await subscribe({ events: ['task.*'], taskId: 'task-3', agent: 'even' })
    await ask({ types: ['task.created', 'task.complete', 'session.closed'] })
    await run()
    const fits = wanted(
      ({ taskId, agent, type }) =>
        taskId === 'task-3' && agent === 'even' && ['task.created', 'task.complete'].includes(type),
    )
    expect(fits.length).toBeGreaterThan(10)
    expect(await eventsIn('pending')).toEqual(fits)
  })

  test('counts on a dry run exactly what it then makes, and the dry run changes nothing', async () => {
    await ask()
    await run()
    await finish('delivered', 200)
    await finish('failed', 50)
    await finish('cancelled', 20)
    await admin.query(`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state = 'pending' LIMIT 30)`)
    const before = await admin.query('SELECT * FROM deliveries ORDER BY id')
    const dry = await ask({ dryRun: true })
    const dryFailed = async (): Promise<number | undefined> => {
      const id = await ask({ dryRun: true, deliveryStatus: 'failed' })
      await run()
      return (await replayOf(id))?.deliveryCount
    }
    await run()
    expect(await dryFailed()).toBe(50)
    expect((await admin.query('SELECT * FROM deliveries ORDER BY id')).rows).toEqual(before.rows)
    expect(await replayOf(dry)).toMatchObject({ state: 'completed', deliveryCount: 300 })
    const real = await ask()
    await run()
    expect(await replayOf(real)).toMatchObject({ state: 'completed', deliveryCount: 300 })
    expect(await eventsIn('pending')).toEqual(wanted(() => true))
  })

  test('of one status sends those deliveries alone again, under a new attempt number, with all earlier attempts', async () => {
    await ask()
    await run()
    await finish('failed', 40)
    await finish('delivered', 60)
    await ask({ deliveryStatus: 'failed' })
    await run()
    const { rows } = await admin.query(
      `SELECT state, attempt, attempt_count, count(*)::int AS n FROM deliveries WHERE attempt > 1 GROUP BY 1, 2, 3 ORDER BY 1`,
    )
    expect(rows).toEqual([
      { state: 'delivered', attempt: 3, attempt_count: 3, n: 60 },
      { state: 'pending', attempt: 4, attempt_count: 0, n: 40 },
    ])
  })

  test('continues after the last committed statement, after any number of killed workers, and is shared among workers', async () => {
    const id = await ask()
    let killed = 0
    const survive = async (by: Pool): Promise<void> => {
      for (;;) {
        try {
          await run({ pool: by, eventsMax: 10 })
          return
        } catch {
          killed += 1
        }
      }
    }
    let kills = 0
    const killing = setInterval(() => {
      if (++kills > 10) return
      void admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'replay-%'`)
    }, 30)
    await Promise.all([survive(pool), survive(other)])
    clearInterval(killing)
    // A session that the last kill has ended may still be in the pool.
    await survive(pool)
    expect(killed).toBeGreaterThan(0)
    expect(await eventsIn('pending')).toEqual(wanted(() => true))
    expect(await replayOf(id)).toMatchObject({ state: 'completed', deliveryCount: wanted(() => true).length })
  })

  test('adds nothing while too many deliveries are due, and continues when they are sent', async () => {
    const id = await ask()
    const options = { waitingMax: 100, eventsMax: 50 }
    for (let turn = 0; turn < 10; turn++) await makeReplaySlice(options)
    expect(await makeReplaySlice(options)).toBeUndefined()
    const waiting = (await eventsIn('pending')).length
    expect(waiting).toBeGreaterThanOrEqual(100)
    expect(waiting).toBeLessThan(150)
    await finish('delivered', 1000)
    expect(await makeReplaySlice(options)).toMatchObject({ webhookId })
    expect(await replayOf(id)).toMatchObject({ state: 'running' })
  })

  test('of a tenant with many webhooks that have too much pending gives way to others, twenty webhooks at a time', async () => {
    const loud = Array.from({ length: 45 }, () => typeIdToUuid('whk', newTypeId('whk')))
    await pool.query(
      `WITH made AS (
         INSERT INTO webhooks (id, tenant_id, url, events, secret)
         SELECT id, 'loud', 'https://example.com/', '{*}', '' FROM unnest($1::uuid[]) id RETURNING id),
       due AS (
         INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
         SELECT d.id, 'loud', w.id, d.id, 'task.created', 1, 0, 0, now()
           FROM unnest($1::uuid[], $2::uuid[]) AS d (webhook_id, id) JOIN made w ON w.id = d.webhook_id)
       INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run, updated_at)
       SELECT id, 'loud', id, now() - interval '1 h', now(), false, now() - interval '1 h' FROM unnest($1::uuid[]) id`,
      [loud, loud.map(() => typeIdToUuid('dlv', newTypeId('dlv')))],
    )
    const id = await ask()
    const options = { waitingMax: 1, eventsMax: 50 }
    expect(await makeReplaySlice(options)).toBeUndefined()
    expect(await makeReplaySlice(options)).toMatchObject({ webhookId })
    expect(await replayOf(id)).toMatchObject({ state: 'running' })
    const { rows } = await pool.query(
      `SELECT count(*)::int AS passed FROM webhook_replays WHERE tenant_id = 'loud' AND updated_at > now() - interval '1 min'`,
    )
    expect(rows).toEqual([{ passed: 20 }])
    await pool.query(`UPDATE webhook_replays SET state = 'cancelled', finished_at = now() WHERE tenant_id = 'loud'`)
  })

  test('that is cancelled makes no further deliveries, and its unsent deliveries can be distinguished', async () => {
    await ask({ afterMs: model[800]?.appendedAtMs ?? 0 })
    await run()
    const live = await eventsIn('pending')
    const id = await ask({ beforeMs: model[700]?.appendedAtMs ?? 0 })
    for (let turn = 0; turn < 4; turn++) await makeReplaySlice({ eventsMax: 50 })
    expect(await stopReplay(pool, { tenant: 'other', id })).toBe(false)
    expect(await stopReplay(pool, { tenant, id })).toBe(true)
    expect(await stopReplay(pool, { tenant, id })).toBe(false)
    const made = await replayOf(id)
    await run()
    expect(await replayOf(id)).toEqual(made)
    expect(made).toMatchObject({ state: 'cancelled', finishedAtMs: expect.any(Number) })
    expect(made?.deliveryCount).toBeGreaterThan(100)
    const { rowCount } = await pool.query(
      `UPDATE deliveries SET state = 'cancelled', due_at = NULL, finished_at = now() WHERE replay_id = $1`,
      [typeIdToUuid('rpl', id)],
    )
    expect(rowCount).toBe(made?.deliveryCount)
    expect(await eventsIn('pending')).toEqual(live)
  })

  test('that fails gives way to others', async () => {
    const failing = await ask()
    await pool.query(`UPDATE webhooks SET filter = 'null' WHERE id = $1`, [typeIdToUuid('whk', webhookId)])
    const sound = await subscribe()
    const id = await ask({ webhookId: sound })
    await expect(makeReplaySlice()).rejects.toThrow()
    expect(await makeReplaySlice()).toMatchObject({ webhookId: sound })
    expect(await replayOf(failing)).toMatchObject({ state: 'running', deliveryCount: 0 })
    expect((await replayOf(id, sound))?.deliveryCount).toBeGreaterThan(0)
  })

  test('that has waited long leaves out events whose deliveries would be older than the retention', async () => {
    const nowMs = Date.now()
    const events = [50, 1].map((days, offset) => {
      const appendedAtMs = nowMs - days * 86_400_000
      return { ...eventAt(0), tenant: 'late', id: newEventId(appendedAtMs), partition: 1, offset, appendedAtMs }
    })
    await insertEvents(admin, events)
    webhookId = await subscribe({ tenant: 'late' })
    const id = await ask({ tenant: 'late', afterMs: nowMs - 51 * 86_400_000 })
    await run()
    expect(await eventsIn('pending')).toEqual([typeIdToUuid('evt', events[1]?.id ?? '')])
    expect(await getReplay(pool, { tenant: 'late', webhookId, id })).toMatchObject({
      state: 'completed',
      deliveryCount: 1,
    })
  })

  test('with a payload filter checks large payloads a few at a time, reports the time that took, and reaches the end', async () => {
    const appendedAtMs = Date.now() - 60_000
    const events = Array.from({ length: 12 }, (_, offset) => {
      const data = Buffer.from(`{"task_id":"t","n":${offset},"deep":[${'[],'.repeat(60_000)}0]}`)
      const id = newEventId(appendedAtMs)
      return { ...eventAt(0), tenant: 'large', id, data, partition: 2, offset: 10_000 + offset, appendedAtMs }
    })
    await insertEvents(admin, events)
    webhookId = await subscribe({ tenant: 'large', filter: '{"data.n":{"$gte":3}}' })
    const id = await ask({ tenant: 'large' })
    const filteredMs: number[] = []
    const jobs = jobsOf()
    for (;;) {
      const slice = await makeReplaySlice(jobs)
      if (slice === undefined) break
      filteredMs.push(slice.filteredMs)
    }
    // Three of 180 KB make half a MiB; partitions without events of the tenant have a slice each.
    expect(filteredMs.filter((ms) => ms > 1).length).toBeGreaterThanOrEqual(4)
    expect(await eventsIn('pending')).toEqual(
      events
        .slice(3)
        .map((event) => typeIdToUuid('evt', event.id))
        .toSorted(),
    )
    expect(await getReplay(pool, { tenant: 'large', webhookId, id })).toMatchObject({
      state: 'completed',
      scannedCount: events.length,
      deliveryCount: 9,
    })
  })

  test('waits in a partition until the projection has reached what the log held, and then takes that too', async () => {
    const appendedAtMs = Date.now() - 10
    const [first, second] = [10_100, 10_101].map((offset) =>
      sampleRow({ tenant: 'behind', id: newEventId(appendedAtMs), partition: 1, offset, appendedAtMs }),
    )
    if (first === undefined || second === undefined) throw new Error('no events')
    await insertEvents(admin, [first])
    webhookId = await subscribe({ tenant: 'behind' })
    const id = await ask({ tenant: 'behind' })
    const state = async () => (await getReplay(pool, { tenant: 'behind', webhookId, id }))?.state
    const asked: number[] = []
    const jobs = jobsOf({
      eventsMax: 50,
      async logEnd(partition) {
        asked.push(partition)
        return partition === 1 ? second.offset + 1 : 0
      },
    })
    const slices: (boolean | undefined)[] = []
    for (let turn = 0; turn < 6; turn++) slices.push((await makeReplaySlice(jobs))?.isWaiting)
    // A partition without events before its end is known and after that, the event, and nothing more.
    expect(slices).toEqual([false, false, false, true, true, true])
    expect(await state()).toBe('running')
    // Each partition once, when it is reached.
    expect(asked).toEqual([0, 1])

    await insertEvents(admin, [second])
    await admin.query(
      `UPDATE projection_offsets SET next_offset = $1 WHERE projection = 'events' AND epoch = 1 AND partition = 1`,
      [second.offset + 1],
    )
    while ((await makeReplaySlice(jobs)) !== undefined);
    expect(await state()).toBe('completed')
    expect(await eventsIn('pending')).toEqual([first, second].map((event) => typeIdToUuid('evt', event.id)).toSorted())
  })

  test('ends with its webhook', async () => {
    const id = await ask()
    await makeReplaySlice({ eventsMax: 50 })
    await deleteWebhook(pool, { tenant, id: webhookId })
    await run()
    expect(await replayOf(id)).toMatchObject({ state: 'cancelled' })
  })

  test('runs once at a time for a webhook, next to a dry run, and in turn with those of other webhooks', async () => {
    await ask()
    const again = { id: newTypeId('rpl'), tenant, webhookId, afterMs: 0, beforeMs: 1, types: null }
    expect(await insertReplay(pool, { ...again, deliveryStatus: null, dryRun: false })).toBe('under_way')
    await ask({ dryRun: true })
    await ask({ webhookId: await subscribe() })
    const turns = new Set<string>()
    for (let turn = 0; turn < 3; turn++) {
      const result = await makeReplaySlice({ eventsMax: 50 })
      if (result !== undefined) turns.add(`${result.webhookId} ${String(result.dryRun)}`)
    }
    expect(turns.size).toBe(3)
    await run()
  })

  test('is worked off tenant by tenant: next to many replays of one tenant that of another is every second one', async () => {
    for (let number = 0; number < 5; number += 1) await ask({ webhookId: await subscribe() })
    const theirs = await subscribe({ tenant: 'a-second-tenant' })
    await ask({ tenant: 'a-second-tenant', webhookId: theirs })
    const turns: string[] = []
    for (let turn = 0; turn < 4; turn += 1) {
      const result = await makeReplaySlice({ eventsMax: 1 })
      turns.push(result?.webhookId === theirs ? 'other' : 'first')
    }
    // The other tenant has no events: its replay passes an empty partition each turn.
    expect(turns.filter((turn) => turn === 'other')).toHaveLength(2)
    await run()
  })
})
