import { afterAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { deriveDeliveryId } from './delivery-id.ts'
import { listDeliveriesOfEvents } from './list-deliveries-of-events.ts'

const APPENDED_MS = Date.now()

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

/** Deliveries of an event to new webhooks; gives their ids, newest id first. */
async function insert(tenant: string, eventId: string, count: number): Promise<readonly string[]> {
  const rows = Array.from({ length: count }, () => {
    const webhookId = newTypeId('whk')
    return { webhookId, id: deriveDeliveryId({ appendedAtMs: APPENDED_MS, webhookId, eventId }) }
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

async function attempt(deliveryId: string, number: number, outcome: { status: number; errorClass: string | null }) {
  await pool.query(
    `INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, started_at, total_ms, status, error_class)
     SELECT id, $2, tenant_id, webhook_id, now(), 5, $3, $4 FROM deliveries WHERE id = $1`,
    [typeIdToUuid('dlv', deliveryId), number, outcome.status, outcome.errorClass],
  )
  await pool.query('UPDATE deliveries SET attempt_count = $2 WHERE id = $1', [typeIdToUuid('dlv', deliveryId), number])
}

test('gives the deliveries of each event apart, newest id first, up to the limit, with the newest attempt', async () => {
  const [busy, quiet, none] = [newEventId(APPENDED_MS), newEventId(APPENDED_MS), newEventId(APPENDED_MS)]
  const many = await insert('mine', busy, 102)
  const [one = ''] = await insert('mine', quiet, 1)
  await attempt(one, 1, { status: 500, errorClass: 'http_5xx' })
  await attempt(one, 2, { status: 200, errorClass: null })
  const events = [busy, quiet, none].map((id) => ({ id, appendedAtMs: APPENDED_MS }))
  const found = await listDeliveriesOfEvents(pool, { tenant: 'mine', events, limit: 101 })
  expect(found.get(busy)?.map(({ id }) => id)).toEqual(many.slice(0, 101))
  expect(found.get(busy)?.[0]).toMatchObject({ lastAttemptAtMs: null, lastResponseStatus: null, lastErrorClass: null })
  expect(found.get(quiet)).toMatchObject([{ id: one, lastResponseStatus: 200, lastErrorClass: null }])
  expect(found.has(none)).toBe(false)
})

test('gives nothing of another tenant, whatever events it names', async () => {
  const event = newEventId(APPENDED_MS)
  await insert('theirs', event, 2)
  const events = [{ id: event, appendedAtMs: APPENDED_MS }]
  expect(await listDeliveriesOfEvents(pool, { tenant: 'mine', events, limit: 101 })).toEqual(new Map())
})

test('reads one range of one partition for an event, whatever the size of the table', async () => {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
     SELECT d.id FROM unnest(ARRAY['00000000-0000-7000-8000-000000000000'::uuid], ARRAY[${APPENDED_MS}::bigint]) AS event (id, ms)
     CROSS JOIN LATERAL (SELECT id FROM deliveries WHERE id >= uuid_v7_floor(event.ms) AND id < uuid_v7_floor(event.ms + 1)
       AND tenant_id = 'mine' AND event_id = event.id ORDER BY id DESC LIMIT 101) AS d`,
  )
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  const scans = plan.split('\n').filter((line) => line.includes(' on deliveries_p'))
  expect(scans.filter((line) => !line.includes('never executed'))).toHaveLength(1)
})
