import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { makeJobSlice, withTransaction } from '@ariftly/store'
import { drainWebhook } from '@ariftly/store/deliveries'
import { LIST_SETTINGS } from '@ariftly/store/events'
import {
  cancelRedelivery,
  findRunningRedelivery,
  getRedelivery,
  insertRedelivery,
  listRedeliveries,
  type StoredFilter,
} from '@ariftly/store/redeliveries'
import { deleteWebhook } from '@ariftly/store/webhooks'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { redeliveryJobs, type RedeliveryJobsOptions } from './redelivery-slice.ts'

const DAY_MS = 86_400_000

const database = await createTestDatabase()
const pool = database.openPool({ settings: LIST_SETTINGS })
let tenant: string
let webhookId: string
let tenants = 0

beforeEach(async () => {
  tenant = `tenant-${++tenants}`
  webhookId = await subscribe()
})
afterAll(() => database.drop())

function subscribe(): Promise<string> {
  return insertSampleWebhook(pool, { tenant })
}

/** Deliveries that have ended, one a minute up to now; returns their ids, the oldest first. */
async function insertEnded(count: number, o: { state?: string; error?: string | null; webhook?: string } = {}) {
  const { state = 'failed', error = 'timeout', webhook = webhookId } = o
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             finished_at, created_at, attempt, attempt_count, last_attempt_at, last_error_class)
     SELECT e.id, $1, $2, e.id, 'task.progress', 'task', 1, 0, n, $3, now(), now() - n * interval '1 minute', 13, 13, now(), $4
       FROM unnest($5::uuid[]) WITH ORDINALITY AS e (id, n)
     RETURNING id`,
    [
      tenant,
      typeIdToUuid('whk', webhook),
      state,
      error,
      Array.from({ length: count }, () => typeIdToUuid('evt', newEventId(Date.now()))),
    ],
  )
  return rows.map(({ id }) => uuidToTypeId('dlv', id)).toReversed()
}

/** Deliveries that have failed once or twice and are due later, and one that is due, one that is queued; returns those due later, the oldest first. */
async function insertWaiting(count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count + 2 }, (_, index) => newTypeId('dlv', Date.now() - (count + 2 - index) * 1000))
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             due_at, lease_until, attempt, attempt_count, last_attempt_at, last_error_class)
     SELECT id, $1, $2, id, 'task.progress', 'task', 1, 0, n, CASE WHEN n = 2 THEN 'queued' ELSE 'pending' END,
            CASE WHEN n = 1 THEN now() - interval '1 s' WHEN n > 2 THEN now() + interval '1 h' END,
            CASE WHEN n = 2 THEN now() + interval '1 h' END, 3, 2, now(), 'timeout'
       FROM unnest($3::uuid[]) WITH ORDINALITY AS d (id, n)`,
    [tenant, typeIdToUuid('whk', webhookId), ids.map((id) => typeIdToUuid('dlv', id))],
  )
  return ids.slice(2)
}

async function ask(filter: Partial<StoredFilter> = {}, dryRun = false): Promise<string> {
  const id = newTypeId('rdl')
  const stored = JSON.stringify({ webhook_id: webhookId, status: 'failed', ...filter })
  expect(await insertRedelivery(pool, { id, tenant, filter: stored, dryRun })).toMatchObject({ id, state: 'running' })
  return id
}

type SliceOptions = Partial<RedeliveryJobsOptions>

/** Makes the next slice; undefined when there is none to make. */
async function makeRedeliverySlice(options: SliceOptions = {}) {
  return await makeJobSlice(redeliveryJobs({ pool, onRedelivered() {}, ...options }))
}

/** Makes slices until none is due. */
async function run(options: SliceOptions = {}): Promise<void> {
  for (let slices = 0; slices < 100; slices++) {
    if ((await makeRedeliverySlice(options)) === undefined) return
  }
  throw new Error('the redelivery has no end')
}

async function pending(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM deliveries WHERE tenant_id = $1 AND state = 'pending' ORDER BY created_at`,
    [tenant],
  )
  return rows.map(({ id }) => uuidToTypeId('dlv', id))
}

/** Pending deliveries that are due later, the oldest first. */
async function dueLater(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM deliveries WHERE tenant_id = $1 AND state = 'pending' AND due_at > now() ORDER BY id`,
    [tenant],
  )
  return rows.map(({ id }) => uuidToTypeId('dlv', id))
}

const found = async (id: string) => await getRedelivery(pool, { tenant, id })

describe('a redelivery', () => {
  test('sends each delivery that matches its filter again, a bounded number at a time, with new attempts', async () => {
    const timeouts = await insertEnded(25)
    await insertEnded(10, { error: 'http_5xx' })
    await insertEnded(10, { state: 'delivered', error: null })
    const id = await ask({ error_class: 'timeout' })
    await run({ deliveriesMax: 7 })
    expect(await pending()).toEqual(timeouts)
    // The index of a webhook's failed deliveries covers all but the error class.
    expect(await found(id)).toMatchObject({ state: 'completed', scannedCount: 35, deliveryCount: 25 })
    const { rows } = await pool.query(
      `SELECT DISTINCT attempt, attempt_count, earlier_attempts, redelivered FROM deliveries
        WHERE tenant_id = $1 AND state = 'pending'`,
      [tenant],
    )
    expect(rows).toEqual([{ attempt: 14, attempt_count: 0, earlier_attempts: 13, redelivered: true }])
  })

  test('that only counts runs next to at most nine others of its tenant', async () => {
    for (let count = 0; count < 10; count += 1) await ask({}, true)
    const filter = JSON.stringify({ webhook_id: webhookId, status: 'failed' })
    const more = (id: string, of: string) => insertRedelivery(pool, { id, tenant: of, filter, dryRun: true })
    expect(await more(newTypeId('rdl'), tenant)).toBe('under_way')
    expect(await more(newTypeId('rdl'), 'another')).toMatchObject({ state: 'running' })
    await ask()
    await run()
    await ask({}, true)
  })

  test('with a time, task, event or status sends the deliveries that match these', async () => {
    const ids = await insertEnded(20)
    const after = new Date(Date.now() - 5.5 * 60_000).toISOString()
    await ask({ after, task_id: 'task' })
    await run()
    expect(await pending()).toEqual(ids.slice(15))
    await insertEnded(3, { state: 'cancelled', error: null })
    await ask({ status: 'cancelled', after: new Date(Date.now() - DAY_MS).toISOString() })
    await run()
    expect(await pending()).toHaveLength(8)
  })

  test('that is a dry run counts the same and changes nothing, at the same time as a real one', async () => {
    await insertEnded(12)
    const [dry, again] = [await ask({}, true), await ask({}, true)]
    await run({ deliveriesMax: 5 })
    expect(await pending()).toEqual([])
    expect(await found(dry)).toMatchObject({ state: 'completed', deliveryCount: 12, scannedCount: 12 })
    const real = await ask()
    const second = { id: newTypeId('rdl'), tenant, filter: '{"status":"failed"}', dryRun: false }
    expect(await insertRedelivery(pool, second)).toBe('under_way')
    await run()
    expect(await found(real)).toMatchObject({ state: 'completed', deliveryCount: 12 })
    expect(await found(again)).toMatchObject({ state: 'completed', deliveryCount: 12 })
  })

  test('skips deleted webhooks and other tenants', async () => {
    const gone = await subscribe()
    await insertEnded(4, { webhook: gone })
    await deleteWebhook(pool, { tenant, id: gone })
    const stranger = tenant
    await insertEnded(3)
    tenant = `${stranger}-other`
    const id = newTypeId('rdl')
    const filter = JSON.stringify({ webhook_id: webhookId, status: 'failed' })
    await insertRedelivery(pool, { id, tenant, filter, dryRun: false })
    await run()
    expect(await found(id)).toMatchObject({ state: 'completed', scannedCount: 0, deliveryCount: 0 })
    tenant = stranger
    const own = await ask({ webhook_id: gone })
    await run()
    expect(await found(own)).toMatchObject({ state: 'completed', deliveryCount: 0 })
  })

  test('that is cancelled changes nothing more, and deliveries that are already pending are still sent', async () => {
    await insertEnded(30)
    const id = await ask()
    await makeRedeliverySlice({ deliveriesMax: 10 })
    expect(await cancelRedelivery(pool, { tenant: 'other', id })).toBeUndefined()
    const cancelled = await cancelRedelivery(pool, { tenant, id })
    expect(cancelled).toMatchObject({ state: 'cancelled', deliveryCount: 10, finishedAtMs: expect.any(Number) })
    await run()
    expect(await pending()).toHaveLength(10)
    expect(await cancelRedelivery(pool, { tenant, id })).toEqual(cancelled)
  })

  test('adds nothing while a webhook has too many pending deliveries', async () => {
    await insertEnded(30)
    const id = await ask()
    const options = { deliveriesMax: 10, waitingMax: 15 }
    for (let slice = 0; slice < 2; slice++) expect(await makeRedeliverySlice(options)).toBeInstanceOf(Map)
    expect(await makeRedeliverySlice(options)).toBe('full')
    expect(await pending()).toHaveLength(20)
    expect(await makeRedeliverySlice(options)).toBeUndefined()
    await pool.query(`UPDATE redeliveries SET due_at = now() WHERE id = $1`, [typeIdToUuid('rdl', id)])
    await pool.query(`UPDATE webhooks SET enabled = false, disabled_reason = 'manual' WHERE id = $1`, [
      typeIdToUuid('whk', webhookId),
    ])
    await run(options)
    expect(await found(id)).toMatchObject({ state: 'completed', deliveryCount: 30 })
  })

  test('of pending ones makes those due that are due later, as its dry run counts, and leaves their attempts as they are', async () => {
    const ids = await insertWaiting(12)
    await insertEnded(30, { state: 'delivered', error: null })
    const dry = await ask({ status: 'pending' }, true)
    await run({ deliveriesMax: 5 })
    const counts = { state: 'completed', scannedCount: 14, deliveryCount: 12 }
    expect(await found(dry)).toMatchObject(counts)
    expect(await dueLater()).toEqual(ids)
    const id = await ask({ status: 'pending' })
    await run({ deliveriesMax: 5 })
    expect(await found(id)).toMatchObject(counts)
    expect(await dueLater()).toEqual([])
    const { rows } = await pool.query(
      `SELECT state, attempt, attempt_count, earlier_attempts, redelivered, count(*)::int AS n FROM deliveries
        WHERE tenant_id = $1 AND state IN ('pending', 'queued') GROUP BY 1, 2, 3, 4, 5 ORDER BY state`,
      [tenant],
    )
    const same = { attempt: 3, attempt_count: 2, earlier_attempts: 0, redelivered: false }
    expect(rows).toEqual([
      { state: 'pending', ...same, n: 13 },
      { state: 'queued', ...same, n: 1 },
    ])
  })

  test('of pending ones leaves those alone that a transaction holds, as it is queueing them', async () => {
    const [held = '', ...others] = await insertWaiting(4)
    await ask({ status: 'pending', error_class: 'timeout' })
    await withTransaction(pool, async (tx) => {
      await tx.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [typeIdToUuid('dlv', held)])
      await run()
    })
    expect(await dueLater()).toEqual([held])
    expect(others).toHaveLength(3)
  })

  test('that a change of the webhook has asked for is next to those of callers, who do not see it', async () => {
    const ids = await insertWaiting(9)
    // Before the clock of Postgres was set back.
    await pool.query(`UPDATE deliveries SET created_at = now() + interval '1 h' WHERE id = $1`, [
      typeIdToUuid('dlv', ids[8] ?? ''),
    ])
    await drainWebhook(pool, { webhookId })
    const own = await ask()
    await makeRedeliverySlice({ deliveriesMax: 6 })
    await makeRedeliverySlice({ deliveriesMax: 6 })
    expect(await found(own)).toMatchObject({ state: 'completed' })
    expect(await dueLater()).toEqual(ids.slice(4))
    // Another change: it begins again, with what has failed since then.
    await pool.query(`UPDATE deliveries SET due_at = now() + interval '1 h' WHERE id = $1`, [
      typeIdToUuid('dlv', ids[0] ?? ''),
    ])
    await drainWebhook(pool, { webhookId })
    const { rows } = await pool.query<{ id: string }>(
      'SELECT id FROM redeliveries WHERE tenant_id = $1 AND drained_webhook_id IS NOT NULL',
      [tenant],
    )
    const [drain = ''] = rows.map(({ id }) => uuidToTypeId('rdl', id))
    expect(await found(drain)).toBeUndefined()
    expect(await cancelRedelivery(pool, { tenant, id: drain })).toBeUndefined()
    expect(await listRedeliveries(pool, { tenant, limit: 10 })).toMatchObject([{ id: own }])
    expect(await findRunningRedelivery(pool, { tenant, dryRun: false })).toBeUndefined()
    await run({ deliveriesMax: 6 })
    expect(await dueLater()).toEqual([])
    expect(rows).toHaveLength(1)
  })

  test('is worked off in turn with those of other tenants, for any number of dry runs of one of them', async () => {
    const first = tenant
    await insertEnded(3)
    for (let count = 0; count < 10; count++) await ask({}, true)
    tenant = `${first}-other`
    webhookId = await subscribe()
    await insertEnded(3)
    const id = await ask()
    for (let slice = 0; slice < 2; slice++) await makeRedeliverySlice()
    expect(await found(id)).toMatchObject({ state: 'completed', deliveryCount: 3 })
    await run()
  })

  test('that fails again and again has the status failed', async () => {
    await insertEnded(1)
    const id = await ask({ event_id: 'no event' })
    for (let slice = 0; slice < 20; slice++) {
      await expect(makeRedeliverySlice()).rejects.toThrow()
      await pool.query(`UPDATE redeliveries SET due_at = now() WHERE id = $1`, [typeIdToUuid('rdl', id)])
    }
    expect(await found(id)).toMatchObject({ state: 'failed', finishedAtMs: expect.any(Number) })
    expect(await makeRedeliverySlice()).toBeUndefined()
  })
})
