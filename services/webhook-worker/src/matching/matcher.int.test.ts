import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { encodeRecord, newTypeId, typeIdToUuid } from '@ariftly/events'
import { makeJobSlice, runLongJobs } from '@ariftly/store'
import { ensurePositions, openEpoch, readPositions } from '@ariftly/store/projection'
import {
  type ProjectedEvent,
  createTestDatabase,
  eventually,
  insertEvents,
  insertSampleWebhook,
  recordViewOf,
  sampleRow,
} from '@ariftly/testkit'
import { matchBacklogJobs } from './match-backlogs.ts'
import { createMatcher, WEBHOOKS_PROJECTION } from './matcher.ts'
import { createProjectionWatch } from './projection-watch.ts'
import { SubscriptionCache } from './subscription-cache.ts'
import { TenantPairs } from './tenant-pairs.ts'

const TOPIC = 'ariftly.events.v1'
const EVENTS = 30
/** Every third event is of the tenant that has no filter. */
const CALM_EVERY = 3
/** 240 KiB that are 80,000 values: to parse them costs a tenant's share of a window or more. */
const COSTLY = `{"task_id":"t","a":[${'[],'.repeat(80_000)}[]]}`
const log = { warn() {} }

const database = await createTestDatabase()
const pool = database.openPool()
const admin = database.openPool({ owner: true })
const subscriptions = new SubscriptionCache(pool)
const tenantPairs = new TenantPairs()
const appendedAtMs = Date.now()
const events = Array.from({ length: EVENTS }, (_, offset) => eventAt(offset))
const batch = {
  partition: 0,
  records: events.map(toRecord),
  firstOffset: 0,
  lastOffset: EVENTS - 1,
}
let calm: string
let costly: string

beforeAll(async () => {
  await openEpoch(admin, { topic: TOPIC, clusterId: 'test', topicId: 'test' })
  const ends = new Map([[0, EVENTS]])
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: TOPIC, starts: ends })
  await ensurePositions(admin, { projection: WEBHOOKS_PROJECTION, epoch: 1, topic: TOPIC, starts: new Map([[0, 0]]) })
  await insertEvents(admin, events)
  calm = await insertSampleWebhook(admin, { tenant: 'calm' })
  costly = await insertSampleWebhook(admin, { tenant: 'costly', filter: '{"data.nope":{"$exists":false}}' })
})
afterAll(() => database.drop())

function eventAt(offset: number): ProjectedEvent {
  const isCalm = offset % CALM_EVERY === 0
  return sampleRow({
    tenant: isCalm ? 'calm' : 'costly',
    data: Buffer.from(isCalm ? '{"task_id":"t"}' : COSTLY),
    offset,
    appendedAtMs,
  })
}

function toRecord(event: ProjectedEvent) {
  const { partition, offset } = event
  return recordViewOf({ partition, offset, timestampMs: event.appendedAtMs, ...encodeRecord(event) })
}

function newMatcher(isTickOver: () => boolean, now = Date.now) {
  return createMatcher({
    pool,
    epoch: 1,
    topic: TOPIC,
    projection: createProjectionWatch({ db: pool, epoch: 1, topic: TOPIC, log }),
    subscriptions,
    tenantPairs,
    isTickOver,
    now,
    onDeferred() {},
    onMatched() {},
    group: 'test',
  })
}

test('parts of a batch that end with a tick of the event loop lose and duplicate no delivery, and costly filters are left to the backlog', async () => {
  const { signal } = new AbortController()
  let calls = 0
  const stopped = newMatcher(() => {
    if (++calls > EVENTS) throw new Error('the process ends')
    // Not at the beginning of a part, but behind its first record.
    return calls % 2 === 0
  })
  await expect(stopped(batch, signal)).rejects.toThrow('the process ends')
  const middle = await positionOf()
  expect(middle).toBeGreaterThan(EVENTS / 3)
  expect(middle).toBeLessThan(EVENTS)
  expect(await eventsOf(calm)).toEqual(idsOf('calm', (offset) => offset < middle))

  const rest = { ...batch, firstOffset: middle, records: batch.records.slice(middle) }
  expect(await newMatcher(() => false)(rest, signal)).toEqual({ type: 'done' })
  expect(await positionOf()).toBe(EVENTS)
  expect(await eventsOf(calm)).toEqual(idsOf('calm'))
  const { rows } = await admin.query('SELECT tenant_id, end_offset::int FROM match_backlogs')
  expect(rows).toEqual([{ tenant_id: 'costly', end_offset: EVENTS }])

  const jobs = matchBacklogJobs({
    pool,
    topic: TOPIC,
    subscriptions,
    tenantPairs,
    isTickOver: () => ++calls % 2 === 0,
    onMatched() {},
  })
  const backlogs = runLongJobs(jobs, { log, failing: 'failed' })
  await eventually('all costly events', async () => (await eventsOf(costly)).length >= idsOf('costly').length)
  await eventually('no backlog', async () => (await admin.query('SELECT FROM match_backlogs')).rows.length === 0)
  await backlogs.close()
  expect(await eventsOf(costly)).toEqual(idsOf('costly'))
  expect(await eventsOf(calm)).toEqual(idsOf('calm'))
})

test('an event of more webhooks than a statement may write is left to the backlog, and what follows it is matched at once', async () => {
  const { signal } = new AbortController()
  const [partition, webhooks] = [1, 1_100]
  const rows = ['crowd', 'calm'].map((tenant, offset) => sampleRow({ tenant, partition, offset, appendedAtMs }))
  const starts = (end: number) => new Map([[partition, end]])
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: TOPIC, starts: starts(rows.length) })
  await ensurePositions(admin, { projection: WEBHOOKS_PROJECTION, epoch: 1, topic: TOPIC, starts: starts(0) })
  await insertEvents(admin, rows)
  await admin.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret)
     SELECT id, 'crowd', 'https://example.com/', '{*}', '' FROM unnest($1::uuid[]) id`,
    [Array.from({ length: webhooks }, () => typeIdToUuid('whk', newTypeId('whk')))],
  )
  // As if more rows took longer than a statement may take.
  await admin.query(
    `CREATE FUNCTION public.refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF (SELECT count(*) FROM added) > 1000 THEN RAISE 'too many rows'; END IF;
       RETURN NULL;
     END $$`,
  )
  await admin.query(
    `CREATE TRIGGER refuse_many AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_many()`,
  )
  const calmBefore = (await eventsOf(calm)).length
  const records = rows.map(toRecord)
  expect(await newMatcher(() => false)({ partition, records, firstOffset: 0, lastOffset: 1 }, signal)).toEqual({
    type: 'done',
  })
  expect(await eventsOf(calm)).toHaveLength(calmBefore + 1)

  const newJobs = () =>
    matchBacklogJobs({ pool, topic: TOPIC, subscriptions, tenantPairs, isTickOver: () => false, onMatched() {} })
  await makeJobSlice(newJobs())
  const written = async (): Promise<number> => {
    const { rows: found } = await admin.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM deliveries WHERE tenant_id = 'crowd'`,
    )
    return found[0]?.n ?? -1
  }
  expect(await written()).toBe(250)
  // Another process continues, and meanwhile a webhook is disabled that has no delivery yet.
  const jobs = newJobs()
  const counts: number[] = []
  for (let slice = await makeJobSlice(jobs); slice !== undefined; slice = await makeJobSlice(jobs)) {
    await jobs.madeSlice(slice, 0)
    counts.push(await written())
    if (counts.length !== 2) continue
    await admin.query(
      `UPDATE webhooks SET enabled = false, disabled_reason = 'manual'
        WHERE id = (SELECT w.id FROM webhooks w LEFT JOIN deliveries d ON d.webhook_id = w.id
                     WHERE w.tenant_id = 'crowd' AND d.id IS NULL LIMIT 1)`,
    )
  }
  expect(counts).toEqual([250, 500, 750, 1_000, webhooks - 1])
  expect((await admin.query('SELECT FROM match_backlogs')).rows).toEqual([])
})

test('a worker whose clock is 200 days ahead matches what Postgres and the log call young', async () => {
  const partition = 2
  const webhookId = await insertSampleWebhook(admin, { tenant: 'early' })
  const rows = [0, 1].map((offset) => sampleRow({ tenant: 'early', partition, offset, appendedAtMs }))
  const starts = (end: number) => new Map([[partition, end]])
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: TOPIC, starts: starts(rows.length) })
  await ensurePositions(admin, { projection: WEBHOOKS_PROJECTION, epoch: 1, topic: TOPIC, starts: starts(0) })
  await insertEvents(admin, rows)
  const records = rows.map(toRecord)
  const ahead = newMatcher(
    () => false,
    () => Date.now() + 200 * 86_400_000,
  )
  await ahead({ partition, records, firstOffset: 0, lastOffset: 1 }, new AbortController().signal)
  expect(await eventsOf(webhookId)).toEqual(rows.map(({ id }) => typeIdToUuid('evt', id)))
})

function idsOf(tenant: string, is: (offset: number) => boolean = () => true): string[] {
  return events.filter((event) => event.tenant === tenant && is(event.offset)).map(({ id }) => typeIdToUuid('evt', id))
}

async function positionOf(): Promise<number> {
  const positions = await readPositions(pool, { projection: WEBHOOKS_PROJECTION, epoch: 1, topic: TOPIC })
  return positions.get(0)?.nextOffset ?? -1
}

/** The events of a webhook's deliveries, in the order of the log. */
async function eventsOf(webhookId: string): Promise<string[]> {
  const { rows } = await admin.query<{ event_id: string }>(
    'SELECT event_id FROM deliveries WHERE webhook_id = $1 ORDER BY "offset"',
    [typeIdToUuid('whk', webhookId)],
  )
  return rows.map((row) => row.event_id)
}
