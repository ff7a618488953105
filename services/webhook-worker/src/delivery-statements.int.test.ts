import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, eventually, insertEvents, insertSampleWebhook, sampleRow } from '@ariftly/testkit'
import { openEpoch } from '@ariftly/store/projection'
import { getWebhook, updateWebhook } from '@ariftly/store/webhooks'
import { withTransaction } from '@ariftly/store'
import type { AttemptOutcome, NextStep, NextSteps } from './settling/attempt-outcome.ts'
import { disableWebhook } from '@ariftly/store/deliveries'
import { insertDeliveries } from './matching/insert-deliveries.ts'
import { keepSuccessAnswers } from './settling/keep-success-answers.ts'
import { lockEndpoints } from './queueing/lock-endpoints.ts'
import type { EndpointCapacity } from './queueing/capacity.ts'
import { queueDueDeliveries, type QueuedDelivery } from './queueing/queue-due-deliveries.ts'
import { queueOrderedDeliveries } from './queueing/queue-ordered-deliveries.ts'
import { readDueWebhooks } from './queueing/read-due-webhooks.ts'
import { readSubscriptions, readWebhooksVersion } from './matching/read-subscriptions.ts'
import { recordOutcomes } from './settling/record-outcomes.ts'
import { releaseDeliveriesOf, releaseExpiredLeases } from './repairing/release-deliveries.ts'
import { startAttempts } from './attempting/start-attempts.ts'
import { FAILING } from './settling/test-outcome.ts'
import { unqueueDeliveries, type AttemptRef } from './queueing/unqueue-deliveries.ts'
import { beatWorker, forgetWorker, listDeadWorkers } from './repairing/worker-heartbeat.ts'

const LEASE_MS = 60_000
const CAPACITY = { inFlightMax: 10, newMax: 10, probe: false, unhealthy: false, tenantShare: 1_000 }

const database = await createTestDatabase()
const pool = database.openPool({ max: 8 })
let tenant: string
let webhookId: string
let tenants = 0
let offset = 0

beforeAll(async () => {
  await openEpoch(database.openPool({ owner: true }), {
    topic: 'ariftly.events.v1',
    clusterId: 'test',
    topicId: 'test',
  })
})
beforeEach(async () => {
  tenant = `tenant-${++tenants}`
  webhookId = await newWebhook()
})
afterAll(() => database.drop())

async function newWebhook(ordering: 'none' | 'task' = 'none'): Promise<string> {
  return await insertSampleWebhook(pool, { tenant, ordering })
}

/** Projects events and matches them; answers the ids of the events. */
async function deliver(count: number, o: { tasks?: number; webhook?: string } = {}): Promise<string[]> {
  const appendedAtMs = Date.now()
  const data = Buffer.from('{"n":1.0}')
  const events = Array.from({ length: count }, (_, index) =>
    sampleRow({ tenant, taskId: `task-${index % (o.tasks ?? count)}`, data, offset: offset++, appendedAtMs }),
  )
  await withTransaction(pool, async (tx) => insertEvents(tx, events))
  const matches = events.map((event) => match(event.id, event.offset, appendedAtMs, o.webhook))
  expect(await insertDeliveries(pool, { epoch: 1, partition: 0, matches })).toBe(count)
  return events.map((event) => event.id)
}

function match(eventId: string, at: number, appendedAtMs: number, webhook = webhookId) {
  return { tenant, webhookIds: [webhook], eventId, offset: at, appendedAtMs, traceparent: null }
}

async function feed(room: Partial<EndpointCapacity> = {}, tenantInFlightMax = 100, leaseMs = LEASE_MS) {
  const endpoint = { ...CAPACITY, webhookId, tenant, ...room }
  return await withTransaction(pool, async (tx) => {
    await lockEndpoints(tx, { webhookIds: [webhookId] })
    return (await queueDueDeliveries(tx, { endpoints: [endpoint], tenantInFlightMax, leaseMs })).queued
  })
}

async function takeOrdered({ fromKey = '', keysMax = 100 } = {}) {
  return await withTransaction(pool, async (tx) => {
    await lockEndpoints(tx, { webhookIds: [webhookId] })
    const ranges = [{ endpoint: { ...CAPACITY, webhookId, tenant }, fromKey }]
    const found = await queueOrderedDeliveries(tx, { ranges, keysMax, tenantInFlightMax: 100, leaseMs: LEASE_MS })
    const scan = found.get(webhookId)
    if (scan === undefined) throw new Error('a webhook without a scan')
    return scan
  })
}

async function feedIfLocked(): Promise<readonly QueuedDelivery[]> {
  return await withTransaction(pool, async (tx) => {
    const locked = await lockEndpoints(tx, { webhookIds: [webhookId] })
    const rooms = locked.map((one) => ({ ...one, ...CAPACITY }))
    return (await queueDueDeliveries(tx, { endpoints: rooms, tenantInFlightMax: 100, leaseMs: LEASE_MS })).queued
  })
}

const start = (refs: readonly AttemptRef[]) => startAttempts(pool, { refs, leaseMs: LEASE_MS, workerId: null })

function outcome(
  ref: AttemptRef,
  more: { fails?: boolean; last?: boolean; probe?: boolean; endpointVersion?: number } = {},
): AttemptOutcome {
  const { fails = false, last = false, probe = false, endpointVersion = 1 } = more
  const times = { startedAtMs: Date.now(), dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: 3, totalMs: 4 }
  const answer = {
    address: '127.0.0.1',
    responseHeaders: '{"a":"b"}',
    responseBody: Buffer.from('x'),
    errorDetail: null,
  }
  const record = { ...times, ...answer, status: fails ? 500 : 200, errorClass: fails ? 'http_5xx' : null }
  const base = {
    deliveryId: ref.deliveryId,
    attempt: ref.attempt,
    tenant,
    webhookId,
    endpointVersion,
    first: true,
    probe,
    record,
  }
  if (!fails) return { ...base, type: 'delivered', next: steps('delivered', 'delivered') }
  return { ...base, type: 'failed', next: steps(last ? 'failed' : 'pending', 'pending') }
}

function steps(whileOpen: NextStep['state'], whileFailing: NextStep['state']): NextSteps {
  return {
    whileOpen: { state: whileOpen, counts: true },
    whileFailing: { state: whileFailing, counts: false },
    dueInMs: 1000,
  }
}

const record = (...outcomes: AttemptOutcome[]) => recordOutcomes(pool, { outcomes, failing: FAILING })

async function rows() {
  const result = await pool.query<{ id: string; state: string; attempt: number; attempt_count: number }>(
    `SELECT id, CASE WHEN state = 'queued' AND started_attempt = attempt THEN 'attempting' ELSE state END AS state, attempt,
            attempt_count
       FROM deliveries WHERE webhook_id = $1 ORDER BY "offset"`,
    [typeIdToUuid('whk', webhookId)],
  )
  return result.rows
}
const states = async () => (await rows()).map(({ state }) => state)

describe('matching', () => {
  test('writes a delivery once, and none for a record that is not where its event is', async () => {
    const [eventId = ''] = await deliver(1)
    const at = offset - 1
    const appendedAtMs = Date.now()
    const elsewhere = match(eventId, at + 1000, appendedAtMs)
    const unknown = match(newEventId(appendedAtMs), at, appendedAtMs)
    expect(await insertDeliveries(pool, { epoch: 1, partition: 0, matches: [elsewhere, unknown] })).toBe(0)
    expect(await insertDeliveries(pool, { epoch: 2, partition: 0, matches: [match(eventId, at, appendedAtMs)] })).toBe(
      0,
    )
    expect(await states()).toEqual(['pending'])
  })

  test('sees a webhook by the version that its writer moved', async () => {
    const before = await readWebhooksVersion(pool)
    const added = await newWebhook()
    expect(await readWebhooksVersion(pool)).toBeGreaterThan(before)
    const all = (await readSubscriptions(pool, { since: undefined })).map(({ subscription }) => subscription.id)
    expect(all).toEqual(expect.arrayContaining([webhookId, added]))
    const changed = await readSubscriptions(pool, { since: before })
    expect(changed).toMatchObject([{ subscription: { id: added, tenant }, enabled: true }])
  })

  test('moves the version for what matching reads, and for nothing else', async () => {
    const before = await readWebhooksVersion(pool)
    const update = async (set: string) =>
      await pool.query(`UPDATE webhooks SET ${set} WHERE id = $1`, [typeIdToUuid('whk', webhookId)])
    await update(`description = 'other', url = 'https://other.example/', rate_limit = 5, updated_at = now()`)
    await update(`events = events`)
    expect(await readWebhooksVersion(pool)).toBe(before)
    await update(`enabled = false, disabled_reason = 'manual'`)
    expect(await readWebhooksVersion(pool)).toBe(before + 1)
    const changed = await readSubscriptions(pool, { since: before })
    expect(changed).toMatchObject([{ subscription: { id: webhookId }, enabled: false }])
  })
})

describe('feeding', () => {
  test('queues the earliest due up to the capacity that is left, and never more over all schedulers', async () => {
    await deliver(15)
    expect(await feed()).toHaveLength(10)
    expect(await feed()).toHaveLength(0)
    expect(await feed({ inFlightMax: 12 })).toHaveLength(2)
    expect(await feed({ inFlightMax: 100 }, 13)).toHaveLength(1)
    expect(await feed({ inFlightMax: 100, tenantShare: 1 })).toHaveLength(1)
  })

  test('returns the webhooks that have no further due deliveries', async () => {
    await deliver(12)
    const drainedBy = async (room: Partial<EndpointCapacity>) => {
      const endpoint = { ...CAPACITY, webhookId, tenant, inFlightMax: 100, ...room }
      return (await queueDueDeliveries(pool, { endpoints: [endpoint], tenantInFlightMax: 100, leaseMs: LEASE_MS }))
        .drained
    }
    expect([await drainedBy({ newMax: 10 }), await drainedBy({ inFlightMax: 10 })]).toEqual([[], []])
    expect([await drainedBy({ tenantShare: 0 }), await drainedBy({ tenantShare: 1 })]).toEqual([[], []])
    expect(await drainedBy({ newMax: 1 })).toEqual([webhookId])
    expect([await drainedBy({}), await drainedBy({ newMax: 0 })]).toEqual([[webhookId], []])
  })

  test('two schedulers at the same time do not queue for one endpoint twice', async () => {
    await deliver(30)
    const fed = await Promise.all(Array.from({ length: 6 }, () => feedIfLocked()))
    expect(fed.flat()).toHaveLength(10)
  })

  test('under ordering by task takes the first of each task, and waits for it', async () => {
    // Each pair of events is due later than the one before.
    for (let pair = 0; pair < 3; pair += 1) await deliver(2, { tasks: 2 })
    const { queued } = await takeOrdered()
    expect(await states()).toEqual(['queued', 'queued', 'pending', 'pending', 'pending', 'pending'])
    expect((await takeOrdered()).queued).toEqual([])
    await start(queued)
    const [one, two] = queued
    if (one === undefined || two === undefined) throw new Error('nothing was queued')
    await record(outcome(one), outcome(two, { fails: true }))
    expect((await takeOrdered()).queued).toHaveLength(1)
  })

  test('under ordering by task scans a bounded number of tasks, and continues where it ended', async () => {
    await deliver(200, { tasks: 50 })
    // The first delivery of every task but the last waits, and its task with it.
    await pool.query(
      `UPDATE deliveries SET due_at = now() + interval '1 h' WHERE webhook_id = $1 AND ordering_key <> 'task-9'`,
      [typeIdToUuid('whk', webhookId)],
    )
    const seen: number[] = []
    let nextKey = ''
    for (let scan = 0; scan < 5; scan += 1) {
      const found = await takeOrdered({ fromKey: nextKey, keysMax: 12 })
      seen.push(found.scanned, found.queued.length)
      nextKey = found.nextKey
    }
    // 50 tasks in scans of 12, the last of which finds task-9 and reaches the end.
    expect(seen).toEqual([12, 0, 12, 0, 12, 0, 12, 0, 2, 1])
    expect(nextKey).toBe('')
  })

  test('a probe takes one delivery, due or not', async () => {
    await deliver(3)
    await pool.query(`UPDATE deliveries SET due_at = now() + interval '1 h' WHERE webhook_id = $1`, [
      typeIdToUuid('whk', webhookId),
    ])
    expect(await feed()).toEqual([])
    expect(await feed({ probe: true, inFlightMax: 1, newMax: 1 })).toHaveLength(1)
    expect(await feed({ probe: true, inFlightMax: 1, newMax: 1 })).toEqual([])
  })

  test('finds webhooks with something due, and when the next is', async () => {
    await deliver(2)
    const all = { runsMax: 1_000 }
    const mine = async () => (await readDueWebhooks(pool, all)).webhooks.find((one) => one.webhookId === webhookId)
    expect(await mine()).toEqual({ webhookId, tenant, ordering: 'none', dueInMs: 0 })
    await pool.query(`UPDATE deliveries SET due_at = now() + interval '5 s' WHERE webhook_id = $1`, [
      typeIdToUuid('whk', webhookId),
    ])
    expect((await mine())?.dueInMs).toBeGreaterThan(3000)
    await pool.query(`UPDATE webhooks SET enabled = false, disabled_reason = 'manual' WHERE id = $1`, [
      typeIdToUuid('whk', webhookId),
    ])
    expect(await mine()).toBeUndefined()
  })
})

describe('attempts', () => {
  test('a job starts once, and only for the attempt that is queued', async () => {
    await deliver(1)
    const [ref] = await feed()
    if (ref === undefined) throw new Error('nothing was queued')
    expect(await start([{ ...ref, attempt: ref.attempt + 1 }])).toEqual([])
    const [started] = await start([ref])
    expect(started).toMatchObject({ ...ref, tenant, attemptCount: 0, enabled: true, deleted: false })
    expect(started?.event?.data.toString()).toBe('{"n":1.0}')
    expect(await start([ref])).toEqual([])
  })

  test('an outcome is written with its attempt, and a retry is a new attempt', async () => {
    await deliver(1)
    const [ref] = await feed()
    if (ref === undefined) throw new Error('nothing was queued')
    await start([ref])
    expect(await record(outcome(ref, { fails: true }))).toMatchObject({ applied: 1 })
    expect(await rows()).toMatchObject([{ state: 'pending', attempt: 2, attempt_count: 1 }])
  })

  test('after a lease has ended the old job can neither start nor finish the delivery, and its attempt is still stored', async () => {
    await deliver(2)
    const [late, never] = await feed({}, 100, -1000)
    if (late === undefined || never === undefined) throw new Error('nothing was queued')
    await startAttempts(pool, { refs: [late], leaseMs: -1000, workerId: null })
    expect((await releaseExpiredLeases(pool, { limit: 100 })).get(webhookId)).toBe(2)
    expect(await rows()).toMatchObject([
      { state: 'pending', attempt: 2 },
      { state: 'pending', attempt: 2 },
    ])
    expect(await start([never])).toEqual([])
    expect(await record(outcome(late))).toMatchObject({ applied: 0 })
    expect(await states()).toEqual(['pending', 'pending'])
    const kept = await pool.query('SELECT attempt, status FROM attempts WHERE webhook_id = $1', [
      typeIdToUuid('whk', webhookId),
    ])
    expect(kept.rows).toEqual([{ attempt: 1, status: 200 }])
  })

  test('what did not reach the queue is due again, though the commit that queued it was still under way', async () => {
    await deliver(2)
    const session = await pool.connect()
    await session.query('BEGIN')
    await lockEndpoints(session, { webhookIds: [webhookId] })
    const room = {
      endpoints: [{ ...CAPACITY, webhookId, tenant, newMax: 1 }],
      tenantInFlightMax: 100,
      leaseMs: LEASE_MS,
    }
    const { queued } = await queueDueDeliveries(session, room)
    const unqueued = unqueueDeliveries(pool, queued)
    await eventually(
      'a session waits',
      async () => (await pool.query('SELECT FROM pg_locks WHERE NOT granted')).rows.length > 0,
    )
    await session.query('COMMIT')
    session.release()
    await unqueued
    expect((await rows()).map(({ state, attempt }) => `${state} ${attempt}`)).toEqual(['pending 2', 'pending 1'])
  })

  test('what did not reach the queue is due again under a new attempt', async () => {
    await deliver(1)
    const refs = await feed()
    expect(await unqueueDeliveries(pool, refs)).toBe(1)
    expect(await unqueueDeliveries(pool, refs)).toBe(0)
    expect(await start(refs)).toEqual([])
    expect(await rows()).toMatchObject([{ state: 'pending', attempt: 2, attempt_count: 0 }])
  })

  test('the last attempt fails a delivery, but not while its endpoint is failing', async () => {
    await deliver(12)
    const refs = [...(await feed({ inFlightMax: 12, newMax: 12 }))]
    await start(refs)
    const [first, ...others] = refs
    if (first === undefined) throw new Error('nothing was queued')
    await record(outcome(first, { fails: true, last: true }))
    expect((await states()).filter((state) => state === 'failed')).toHaveLength(1)
    await record(...others.map((ref) => outcome(ref, { fails: true, last: true })))
    expect((await states()).filter((state) => state === 'failed')).toHaveLength(1)
    const [locked] = await withTransaction(pool, (tx) => lockEndpoints(tx, { webhookIds: [webhookId] }))
    expect(locked).toMatchObject({ gate: 'shut', consecutiveFailures: 12 })
  })

  test.each(['pending', 'failed', 'delivered', 'cancelled'] as const)(
    'a delivery takes the step %s that was decided for the state of its endpoint',
    async (state) => {
      const other = state === 'pending' ? 'failed' : 'pending'
      const take = async (next: NextSteps) => {
        await deliver(1)
        const [ref] = await feed()
        if (ref === undefined) throw new Error('nothing was queued')
        await start([ref])
        await record({ ...outcome(ref, { fails: true }), next })
        const { rows: found } = await pool.query(
          `SELECT state, attempt, attempt_count, due_at > now() AS later, finished_at IS NOT NULL AS finished
             FROM deliveries WHERE id = $1`,
          [typeIdToUuid('dlv', ref.deliveryId)],
        )
        return found[0]
      }
      const pending = { attempt: 2, later: true, finished: false }
      const taken = { state, ...(state === 'pending' ? pending : { attempt: 1, later: null, finished: true }) }
      const step = { state, counts: true }
      const unused = { state: other, counts: false } as const
      expect(await take({ whileOpen: step, whileFailing: unused, dueInMs: 60_000 })).toEqual({
        ...taken,
        attempt_count: 1,
      })
      await pool.query(
        'UPDATE webhook_endpoints SET consecutive_failures = 50, next_probe_at = now(), probe_delay_ms = 1 WHERE webhook_id = $1',
        [typeIdToUuid('whk', webhookId)],
      )
      await pool.query(
        `UPDATE deliveries SET due_at = now() + interval '1 h' WHERE state = 'pending' AND webhook_id = $1`,
        [typeIdToUuid('whk', webhookId)],
      )
      const failing = { whileOpen: unused, whileFailing: { state, counts: false }, dueInMs: 60_000 }
      expect(await take(failing)).toEqual({ ...taken, attempt_count: 0 })
    },
  )

  test('the first success opens a failing endpoint', async () => {
    await deliver(12)
    const refs = await feed({ inFlightMax: 12, newMax: 12 })
    await start(refs)
    await record(...refs.slice(1).map((ref) => outcome(ref, { fails: true })))
    await record(...refs.slice(0, 1).map((ref) => outcome(ref)))
    const [locked] = await withTransaction(pool, (tx) => lockEndpoints(tx, { webhookIds: [webhookId] }))
    expect(locked).toMatchObject({ gate: 'open', consecutiveFailures: 0 })
  })

  test('an endpoint with nothing but failures for too long is named', async () => {
    await deliver(10)
    const refs = await feed()
    await start(refs)
    await record(...refs.slice(1).map((ref) => outcome(ref, { fails: true })))
    await pool.query(`UPDATE webhook_endpoints SET failing_since = now() - interval '6 days' WHERE webhook_id = $1`, [
      typeIdToUuid('whk', webhookId),
    ])
    const last = await record(...refs.slice(0, 1).map((ref) => outcome(ref, { fails: true })))
    expect(last.toDisable).toEqual([{ webhookId, endpointVersion: 1 }])
  })

  test('failures of a URL that the webhook no longer has count for nothing; the new one is tried soon', async () => {
    await deliver(24)
    const refs = await feed({ inFlightMax: 24, newMax: 24 })
    const started = await start(refs)
    expect(new Set(started.map(({ endpointVersion }) => endpointVersion))).toEqual(new Set([1]))
    const endpoint = async () =>
      (await withTransaction(pool, (tx) => lockEndpoints(tx, { webhookIds: [webhookId] }))).at(0)
    await record(...refs.slice(0, 12).map((ref) => outcome(ref, { fails: true })))
    expect(await endpoint()).toMatchObject({ gate: 'shut', consecutiveFailures: 12 })
    // 20 s after the last attempt; a probe may follow it after 10 s.
    await pool.query(
      `UPDATE webhook_endpoints SET next_probe_at = next_probe_at - interval '20 s' WHERE webhook_id = $1`,
      [typeIdToUuid('whk', webhookId)],
    )
    await updateWebhook(pool, { tenant, id: webhookId, changes: { url: 'https://new.example/' } })
    expect(await endpoint()).toMatchObject({ gate: 'probe_due', consecutiveFailures: 12 })
    const late = await record(...refs.slice(12).map((ref) => outcome(ref, { fails: true })))
    expect(late).toMatchObject({ applied: 12, toDisable: [] })
    expect(await endpoint()).toMatchObject({ gate: 'probe_due', consecutiveFailures: 12 })
    expect(await getWebhook(pool, { tenant, id: webhookId })).toMatchObject({ failingSinceMs: null })
  })

  test('a webhook is disabled for what was tried only while its endpoint is still the one', async () => {
    const disable = (endpointVersion: number) => disableWebhook(pool, { webhookId, reason: 'gone', endpointVersion })
    await updateWebhook(pool, { tenant, id: webhookId, changes: { url: 'https://new.example/' } })
    expect(await disable(1)).toBe(false)
    expect(await disable(2)).toBe(true)
    await updateWebhook(pool, { tenant, id: webhookId, changes: { enabled: true } })
    expect(await disable(2)).toBe(false)
    await updateWebhook(pool, { tenant, id: webhookId, changes: { description: 'the same endpoint' } })
    expect(await disable(3)).toBe(true)
  })

  test('answers to the last five successes of a webhook are kept, and shown with their attempts', async () => {
    await deliver(8)
    const refs = await feed()
    await start(refs)
    await record(
      ...refs.map((ref) => {
        const success = outcome(ref)
        if (success.type !== 'delivered') throw new Error('no success')
        return { ...success, record: { ...success.record, responseHeaders: null, responseBody: null } }
      }),
    )
    const answers = refs.map((ref, index) => ({
      ...ref,
      responseHeaders: '{"a":"b"}',
      responseBody: Buffer.from(`answer ${index}`),
    }))
    await keepSuccessAnswers(pool, answers.slice(0, 4))
    await keepSuccessAnswers(pool, answers.slice(4))
    const attempts = await pool.query<{ status: number; body: string | null }>(
      `SELECT a.status, convert_from(s.response_body, 'UTF8') AS body
         FROM attempts a LEFT JOIN success_answers s USING (webhook_id, delivery_id, attempt)
        WHERE delivery_id = ANY ($1) ORDER BY array_position($1::uuid[], delivery_id)`,
      [refs.map(({ deliveryId }) => typeIdToUuid('dlv', deliveryId))],
    )
    expect(attempts.rows.map(({ status }) => status)).toEqual(refs.map(() => 200))
    const shown = attempts.rows.map(({ body }) => body)
    expect(shown.filter((body) => body !== null)).toHaveLength(5)
    expect(shown.slice(4)).toEqual(['answer 4', 'answer 5', 'answer 6', 'answer 7'])
  })

  test('what a dead worker queued is due again, as it may have died before it added the job', async () => {
    await deliver(1)
    const [dead, living] = [randomUUID(), randomUUID()]
    const queueBy = (workerId: string) =>
      withTransaction(pool, async (tx) => {
        await lockEndpoints(tx, { webhookIds: [webhookId] })
        const endpoints = [{ ...CAPACITY, webhookId, tenant }]
        const { queued } = await queueDueDeliveries(tx, {
          endpoints,
          tenantInFlightMax: 100,
          leaseMs: LEASE_MS,
          workerId,
        })
        return queued
      })
    const [first] = await queueBy(dead)
    expect((await releaseDeliveriesOf(pool, { workers: [living], limit: 100 })).size).toBe(0)
    expect((await releaseDeliveriesOf(pool, { workers: [dead], limit: 100 })).get(webhookId)).toBe(1)
    const [second] = await queueBy(living)
    expect(second).toEqual({ ...first, attempt: (first?.attempt ?? 0) + 1 })
    expect((await releaseDeliveriesOf(pool, { workers: [dead], limit: 100 })).size).toBe(0)
  })

  test('what dead workers attempted is due again, and what others attempt is left to them', async () => {
    await deliver(3)
    const [one, two, three] = await feed()
    if (one === undefined || two === undefined || three === undefined) throw new Error('nothing was queued')
    const [dead, living] = [randomUUID(), randomUUID()]
    await startAttempts(pool, { refs: [one], leaseMs: LEASE_MS, workerId: dead })
    await startAttempts(pool, { refs: [two], leaseMs: LEASE_MS, workerId: living })
    await beatWorker(pool, { id: dead })
    await pool.query(`UPDATE webhook_workers SET beat_at = beat_at - interval '1 min' WHERE id = $1`, [dead])
    await beatWorker(pool, { id: living })
    const workers = await listDeadWorkers(pool, { deadMs: 30_000 })
    expect(workers).toEqual([dead])
    expect((await releaseDeliveriesOf(pool, { workers, limit: 100 })).get(webhookId)).toBe(1)
    expect((await states()).toSorted()).toEqual(['attempting', 'pending', 'queued'])
    await forgetWorker(pool, { id: dead })
    expect(await listDeadWorkers(pool, { deadMs: 30_000 })).toEqual([])
  })
})
