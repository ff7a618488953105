import { afterAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { LIST_SETTINGS } from '../../events/list-events.ts'
import { deliveriesOfEventsQuery, listDeliveriesOfEvents } from './list-deliveries-of-events.ts'

const APPENDED_MS = Date.now()

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

/** Deliveries of an event to new webhooks; gives their ids, newest id first. */
async function insert(tenant: string, eventId: string, count: number): Promise<readonly string[]> {
  const rows = Array.from({ length: count }, () => {
    const webhookId = newTypeId('whk')
    return { webhookId, id: uuidToTypeId('dlv', typeIdToUuid('evt', newEventId(APPENDED_MS))) }
  })
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT id, $1, webhook_id, $2, 'task.created', 1, 0, 0, now() FROM unnest($3::uuid[], $4::uuid[]) AS new (id, webhook_id)`,
    [
      tenant,
      typeIdToUuid('evt', eventId),
      rows.map(({ id }) => typeIdToUuid('dlv', id)),
      rows.map(({ webhookId }) => typeIdToUuid('whk', webhookId)),
    ],
  )
  return rows.map(({ id }) => id).toSorted((one, other) => (one < other ? 1 : -1))
}

test('gives the deliveries of each event under its id, newest first, up to the limit, with the newest attempt', async () => {
  const [busy, quiet, none] = [newEventId(APPENDED_MS), newEventId(APPENDED_MS), newEventId(APPENDED_MS)]
  const many = await insert('mine', busy, 102)
  const [one = ''] = await insert('mine', quiet, 1)
  await pool.query('UPDATE deliveries SET last_attempt_at = now(), last_response_status = 200 WHERE id = $1', [
    typeIdToUuid('dlv', one),
  ])
  const events = [busy, quiet, none].map((id) => ({ id, appendedAtMs: APPENDED_MS }))
  const found = await listDeliveriesOfEvents(pool, { tenant: 'mine', events, limit: 101 })
  expect(found.get(busy)?.map(({ id }) => id)).toEqual(many.slice(0, 101))
  expect(found.get(busy)?.[0]).toMatchObject({ lastAttemptAtMs: null, lastResponseStatus: null, lastErrorClass: null })
  expect(found.get(quiet)).toMatchObject([{ id: one, lastResponseStatus: 200, lastErrorClass: null }])
  expect(found.has(none)).toBe(false)
})

test('returns no delivery of the events of another tenant', async () => {
  const event = newEventId(APPENDED_MS)
  await insert('theirs', event, 2)
  const events = [{ id: event, appendedAtMs: APPENDED_MS }]
  expect(await listDeliveriesOfEvents(pool, { tenant: 'mine', events, limit: 101 })).toEqual(new Map())
})

test('reads the rows of its events alone, however many are of the same millisecond', async () => {
  const ids = Array.from({ length: 200 }, () => newEventId(APPENDED_MS))
  for (const id of ids) await insert('mine', id, 10)
  const events = ids.slice(0, 20).map((id) => ({ id, appendedAtMs: APPENDED_MS }))
  for (const isAnalyzed of [false, true]) {
    if (isAnalyzed) await admin.query('ANALYZE deliveries')
    const { name = '', text, values = [] } = deliveriesOfEventsQuery({ tenant: 'mine', events, limit: 101 })
    expect((await pool.query({ name, text, values })).rowCount).toBe(200)
    const literals = values.map((value) => `'${Array.isArray(value) ? `{${value.join(',')}}` : String(value)}'`)
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE "${name}" (${literals.join(', ')})`,
    )
    const scans = rows.map((row) => row['QUERY PLAN']).filter((line) => / on deliveries_p|_pkey.*rows=/.test(line))
    const reading = scans.filter((line) => !line.includes('never executed'))
    expect(reading.length).toBeGreaterThan(0)
    for (const line of reading) expect(line).toMatch(/using deliveries_\w+event\w* on .*rows=(0|10)(\.00)? loops=20\)/)
  }
})
