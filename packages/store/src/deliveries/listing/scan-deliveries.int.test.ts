import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { LIST_SETTINGS } from '../../events/list-events.ts'
import { createDeliveryShape, type DeliveryFilter } from './delivery-shape.ts'
import { scanDeliveries, type ScannedDelivery } from './scan-deliveries.ts'

const COUNT = 1_200

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })

afterAll(() => database.drop())

/** Deliveries of one event, each to its own webhook or all to one: every second one of `tenant`, every third one pending. */
async function insert(tenant: string, eventId: string, webhookId?: string): Promise<readonly string[]> {
  const ids = Array.from({ length: COUNT }, () => newTypeId('dlv'))
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, due_at, finished_at)
     SELECT id, CASE WHEN n % 2 = 0 THEN $1 ELSE 'other' END, coalesce($4, id), $2,
            CASE WHEN n % 4 = 0 THEN 'task.created' ELSE 'task.failed' END, 1, 0, 0,
            CASE WHEN n % 3 = 0 THEN 'pending' ELSE 'failed' END, CASE WHEN n % 3 = 0 THEN now() END,
            CASE WHEN n % 3 <> 0 THEN now() END
       FROM unnest($3::uuid[]) WITH ORDINALITY AS d (id, n)`,
    [
      tenant,
      typeIdToUuid('evt', eventId),
      ids.map((id) => typeIdToUuid('dlv', id)),
      webhookId === undefined ? null : typeIdToUuid('whk', webhookId),
    ],
  )
  await pool.query('ANALYZE deliveries')
  return ids
}

async function scanAll(tenant: string, filter: DeliveryFilter): Promise<readonly ScannedDelivery[]> {
  const scanned: ScannedDelivery[] = []
  let scan: Awaited<ReturnType<typeof scanDeliveries>> | undefined
  do {
    scan = await scanDeliveries(pool, { tenant, filter, cursorId: scan?.nextId, limit: 70 })
    scanned.push(...scan.deliveries)
  } while (scan.nextId !== undefined)
  return scanned
}

test('of an event each delivery is scanned once, however many webhooks wanted it', async () => {
  const eventId = newEventId(Date.now())
  const ids = await insert('wide', eventId)
  const scanned = await scanAll('wide', { eventId })
  expect(scanned.map(({ id }) => id).toSorted()).toEqual(ids.filter((_, index) => index % 2 === 1).toSorted())
})

test('pending deliveries of a webhook are scanned by id, and no finished one is read for it', async () => {
  const webhookId = newTypeId('whk')
  const ids = await insert('mine', newEventId(Date.now()), webhookId)
  const filter = { webhookId, status: 'pending' as const, types: ['task.created' as const] }
  const scanned = await scanAll('mine', filter)
  expect(scanned.map(({ id }) => id)).toEqual(ids.filter((_, index) => (index + 1) % 6 === 0).toSorted())
  const fitting = scanned.filter(({ fits }) => fits).map(({ id }) => id)
  expect(fitting).toEqual(ids.filter((_, index) => (index + 1) % 12 === 0).toSorted())
  expect(await scanAll('stranger', filter)).toEqual([])
  const { types: _, ...all } = filter
  const shape = createDeliveryShape({ tenant: 'mine', filter: all, order: 'id', cursorId: scanned[100]?.id })
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${shape.scan(70)}`, shape.values)
  const plan = rows.map((row) => row['QUERY PLAN'])
  const scans = plan.filter((line) => line.includes('Scan'))
  expect(scans.length).toBeGreaterThan(1)
  expect(scans.filter((line) => !/Index Scan using \S+_unfinished on/.test(line))).toEqual([])
  expect(plan.filter((line) => /Sort|Merge/.test(line))).toEqual([])
})
