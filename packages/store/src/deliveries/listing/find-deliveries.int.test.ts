import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, newEventId, newTypeId, typeIdToUuid, uuidToTypeId, type EventType } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { LIST_SETTINGS } from '../../events/list-events.ts'
import type { Pool } from '../../pool.ts'
import { getDelivery } from '../deliveries.ts'
import { createDeliveryShape, type DeliveryFilter, type DeliveryListOptions } from './delivery-shape.ts'
import { findDeliveries, findDeliveriesQuery } from './find-deliveries.ts'
import type { DeliveryStatus } from '../delivery-row.ts'
import { fitsAll } from './scanned-page.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.now()
const COUNT = 6_000
const TENANT = 'mine'
const STATES = ['pending', 'queued', 'delivered', 'delivered', 'delivered', 'failed', 'cancelled'] as const

/** Those whose ordering key is their task. */
const TYPES = EVENT_TYPES.filter((type) => !type.startsWith('session.'))

/** A delivery as it was written; the oldest first. */
interface Written {
  readonly id: string
  readonly tenant: string
  readonly webhookId: string
  readonly eventId: string
  readonly type: EventType
  readonly taskId: string
  readonly status: DeliveryStatus
  readonly errorClass: string | null
  readonly createdAtMs: number
}

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })
let written: readonly Written[]
const webhooks = Array.from({ length: 4 }, () => newTypeId('whk'))
const events = Array.from({ length: COUNT / 4 }, () => newEventId(NOW_MS))

/** Four deliveries an event, over 30 days; every tenth is of an older event, as a replay makes it. One tenth is another's. */
function makeDeliveries(): Written[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const createdAtMs = NOW_MS - Math.floor(((COUNT - index) / COUNT) * 30 * DAY_MS)
    const eventMs = index % 10 === 9 ? createdAtMs - 3 * DAY_MS : createdAtMs
    const state = STATES[index % STATES.length] ?? 'pending'
    return {
      id: newTypeId('dlv', eventMs),
      tenant: index % 10 === 5 ? 'other' : TENANT,
      webhookId: webhooks[index % 4] ?? '',
      eventId: events[Math.floor(index / 4)] ?? '',
      type: TYPES[index % TYPES.length] ?? 'task.created',
      taskId: `task-${Math.floor(index / 4) % 50}`,
      status: state === 'queued' ? 'pending' : state,
      errorClass: state === 'failed' ? (index % 3 === 0 ? 'timeout' : 'http_5xx') : null,
      createdAtMs,
    }
  })
}

beforeAll(async () => {
  written = makeDeliveries()
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             due_at, finished_at, created_at, last_error_class, last_attempt_at, attempt_count)
     SELECT d.id, tenant, webhook, event, type, task, 1, 0, n, state, CASE WHEN state = 'pending' THEN now() END,
            CASE WHEN state <> 'pending' THEN now() END, to_timestamp(ms / 1000), error,
            CASE WHEN state <> 'pending' THEN now() END, CASE WHEN state <> 'pending' THEN 1 ELSE 0 END
       FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::text[])
            WITH ORDINALITY AS d (id, tenant, webhook, event, type, task, state, ms, error, n)`,
    [
      written.map(({ id }) => typeIdToUuid('dlv', id)),
      written.map(({ tenant }) => tenant),
      written.map(({ webhookId }) => typeIdToUuid('whk', webhookId)),
      written.map(({ eventId }) => typeIdToUuid('evt', eventId)),
      written.map(({ type }) => type),
      written.map(({ taskId }) => taskId),
      written.map(({ status }) => status),
      written.map(({ createdAtMs }) => createdAtMs),
      written.map(({ errorClass }) => errorClass),
    ],
  )
  await pool.query('ANALYZE deliveries')
})
afterAll(() => database.drop())

const DAYS_AGO = (days: number): number => NOW_MS - days * DAY_MS

const FILTERS: readonly (readonly [string, () => DeliveryFilter, index: RegExp])[] = [
  ['a webhook', () => ({ webhookId: webhooks[1] ?? '' }), /webhook_created/],
  ['failed ones of a webhook', () => ({ webhookId: webhooks[1] ?? '', status: 'failed' }), /webhook_failed/],
  ['delivered ones of a webhook', () => ({ webhookId: webhooks[2] ?? '', status: 'delivered' }), /webhook_created/],
  ['an error of a webhook', () => ({ webhookId: webhooks[2] ?? '', errorClass: 'timeout' }), /webhook_created/],
  [
    'pending ones of a type',
    () => ({ webhookId: webhooks[0] ?? '', status: 'pending', types: ['task.created'] }),
    /webhook_created/,
  ],
  ['an event', () => ({ eventId: events[700] ?? '' }), /_event$/],
  ['an event at a webhook', () => ({ eventId: events[700] ?? '', webhookId: webhooks[3] ?? '' }), /_event$/],
  ['a task', () => ({ taskId: 'task-7' }), /_task$/],
  ['failed ones of a task', () => ({ taskId: 'task-7', status: 'failed', errorClass: 'http_5xx' }), /_task$/],
  ['failed ones', () => ({ status: 'failed' }), /tenant_failed/],
  ['timeouts among failed ones', () => ({ status: 'failed', errorClass: 'timeout' }), /tenant_failed/],
  ['all after a time', () => ({ afterMs: DAYS_AGO(10) }), /tenant_created/],
  ['a span', () => ({ afterMs: DAYS_AGO(10), beforeMs: DAYS_AGO(5), types: ['task.failed'] }), /tenant_created/],
]

function wanted(filter: DeliveryFilter): string[] {
  return written
    .filter(
      (row) =>
        row.tenant === TENANT &&
        (filter.webhookId ?? row.webhookId) === row.webhookId &&
        (filter.eventId ?? row.eventId) === row.eventId &&
        (filter.taskId ?? row.taskId) === row.taskId &&
        (filter.status ?? row.status) === row.status &&
        (filter.errorClass ?? row.errorClass) === row.errorClass &&
        (filter.types ?? [row.type]).includes(row.type) &&
        row.createdAtMs >= (filter.afterMs ?? 0) &&
        row.createdAtMs < (filter.beforeMs ?? Infinity),
    )
    .map(({ id }) => id)
}

/** All that a list's index reads, `limit` at a time, each with whether the whole filter fits. */
async function scanAll(
  o: DeliveryListOptions,
  limit: number,
): Promise<readonly { readonly id: string; readonly fits: boolean }[]> {
  const scanned: { id: string; fits: boolean }[] = []
  for (let isLast = false; !isLast;) {
    const shape = createDeliveryShape({ ...o, cursorId: scanned.at(-1)?.id })
    const { rows } = await pool.query<{ id: string; fits: boolean }>(
      `SELECT d.id, ${fitsAll(shape.checked)} AS fits FROM (${shape.scan(limit)}) AS d`,
      shape.values,
    )
    scanned.push(...rows.map(({ id, fits }) => ({ id: uuidToTypeId('dlv', id), fits })))
    isLast = rows.length < limit
  }
  return scanned
}

describe('a list of deliveries', () => {
  test.each(FILTERS)(
    'of %s has each of them once over its pages, newest first and oldest first',
    async (_name, filterOf) => {
      const filter = filterOf()
      for (const order of ['desc', 'asc'] as const) {
        const found: string[] = []
        let cursorId: string | undefined
        do {
          const page = await findDeliveries(pool, {
            tenant: TENANT,
            filter,
            order,
            limit: 70,
            ...(cursorId === undefined ? {} : { cursorId }),
          })
          found.push(...page.deliveries.map(({ id }) => id))
          cursorId = page.nextId
        } while (cursorId !== undefined)
        const expected = wanted(filter)
        expect(expected.length).toBeGreaterThan(0)
        const at = new Map(written.map(({ id, createdAtMs }) => [id, createdAtMs]))
        const times = found.map((id) => at.get(id) ?? 0)
        expect(times).toEqual(times.toSorted((a, b) => (order === 'asc' ? a - b : b - a)))
        expect(found.toSorted()).toEqual(expected.toSorted())
      }
    },
  )

  test('ends a page that finds little, and continues behind what it has scanned', async () => {
    const filter = { webhookId: webhooks[1] ?? '', types: ['task.created' as const], afterMs: DAYS_AGO(9) }
    const rare = { ...filter, errorClass: 'blocked' }
    const first = await findDeliveries(pool, { tenant: TENANT, filter: rare, order: 'desc', limit: 50 })
    // Of 6,000 rows in 30 days the webhook has a quarter: fewer in nine days than one page scans.
    expect(first).toEqual({ deliveries: [], nextId: undefined })
    const all = { afterMs: 0, errorClass: 'blocked' }
    const wide = await findDeliveries(pool, { tenant: TENANT, filter: all, order: 'desc', limit: 50 })
    expect(wide.deliveries).toEqual([])
    const scanned = wanted({})
      .toReversed()
      .indexOf(wide.nextId ?? '')
    expect(scanned).toBe(499)
  })

  test('misses nothing though a delivery that a page has scanned leaves the list before the page ends', async () => {
    const tenant = 'changing'
    const webhookId = newTypeId('whk')
    const ids = Array.from({ length: 1_000 }, () => newTypeId('dlv'))
    await pool.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, finished_at, created_at)
       SELECT id, $1, $2, id, CASE WHEN n % 500 = 1 THEN 'task.failed' ELSE 'task.created' END, 1, 0, 0, 'failed', now(),
              now() - n * interval '1 s'
         FROM unnest($3::uuid[]) WITH ORDINALITY AS d (id, n)`,
      [tenant, typeIdToUuid('whk', webhookId), ids.map((id) => typeIdToUuid('dlv', id))],
    )
    // After each statement the newest delivery is sent again, so that it has not failed any more.
    let left = 0
    const changing = {
      query: async (text: unknown, values?: unknown) => {
        const result = await (pool.query as (...of: unknown[]) => Promise<unknown>)(text, values)
        await pool.query(`UPDATE deliveries SET state = 'delivered' WHERE id = $1`, [
          typeIdToUuid('dlv', ids[(left += 1)] ?? ''),
        ])
        return result
      },
    } as unknown as Pool
    const filter = { webhookId, status: 'failed' as const, types: ['task.failed' as const] }
    const found: string[] = []
    let cursorId: string | undefined
    do {
      const page = await findDeliveries(changing, { tenant, filter, order: 'desc', limit: 50, cursorId })
      found.push(...page.deliveries.map(({ id }) => id))
      cursorId = page.nextId
    } while (cursorId !== undefined)
    expect(found).toEqual([ids[0], ids[500]])
  })

  test('of an event has each of them once, however many webhooks wanted it', async () => {
    const tenant = 'wide'
    const eventId = newEventId(NOW_MS)
    const ids = Array.from({ length: 1_100 }, () => newTypeId('dlv'))
    await pool.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, finished_at)
       SELECT id, CASE WHEN n % 2 = 0 THEN $1 ELSE 'other' END, id, $2, 'task.created', 1, 0, 0, 'failed', now()
         FROM unnest($3::uuid[]) WITH ORDINALITY AS d (id, n)`,
      [tenant, typeIdToUuid('evt', eventId), ids.map((id) => typeIdToUuid('dlv', id))],
    )
    const expected = ids.filter((_, index) => index % 2 === 1)
    for (const filter of [{ eventId }, { eventId, status: 'failed' as const }]) {
      const found: string[] = []
      let cursorId: string | undefined
      do {
        const page = await findDeliveries(pool, { tenant, filter, order: 'desc', limit: 200, cursorId })
        found.push(...page.deliveries.map(({ id }) => id))
        cursorId = page.nextId
      } while (cursorId !== undefined)
      expect(found.toSorted()).toEqual(expected.toSorted())
    }
    const scanned = await scanAll({ tenant, filter: { eventId }, order: 'asc' }, 200)
    expect(scanned.map(({ id }) => id).toSorted()).toEqual(expected.toSorted())
  })

  test('of pending ones of a webhook is scanned by id, and no finished one is read for it', async () => {
    const filter = { webhookId: webhooks[0] ?? '', status: 'pending' as const, types: ['task.created' as const] }
    const scanned = await scanAll({ tenant: TENANT, filter, order: 'id' }, 70)
    const { types: _, ...all } = filter
    expect(scanned.map(({ id }) => id)).toEqual(wanted(all).toSorted())
    expect(scanned.filter(({ fits }) => fits).map(({ id }) => id)).toEqual(wanted(filter).toSorted())
    expect(await scanAll({ tenant: 'stranger', filter, order: 'id' }, 70)).toEqual([])
    const shape = createDeliveryShape({ tenant: TENANT, filter: all, order: 'id', cursorId: scanned[100]?.id })
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${shape.scan(70)}`, shape.values)
    const plan = rows.map((row) => row['QUERY PLAN'])
    const scans = plan.filter((line) => line.includes('Scan'))
    expect(scans.length).toBeGreaterThan(1)
    expect(scans.filter((line) => !/Index Scan using \S+_unfinished on/.test(line))).toEqual([])
    expect(plan.filter((line) => /Sort|Merge/.test(line))).toEqual([])
  })

  test('looks up the task of an event of a session', async () => {
    const id = newTypeId('dlv')
    const eventId = newEventId(NOW_MS)
    await pool.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                               finished_at)
       VALUES ($1, $2, $3, $4, 'session.message', 'session-1', 1, 0, 0, 'failed', now())`,
      [typeIdToUuid('dlv', id), TENANT, typeIdToUuid('whk', webhooks[0] ?? ''), typeIdToUuid('evt', eventId)],
    )
    expect(await getDelivery(pool, { tenant: TENANT, id })).toMatchObject({ taskId: null })
    await pool.query('DELETE FROM deliveries WHERE id = $1', [typeIdToUuid('dlv', id)]).catch(() => undefined)
  })
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly Plans?: readonly PlanNode[]
}

/** All nodes of the plan that the prepared statement runs with. */
async function explain(filter: DeliveryFilter, cursorId?: string): Promise<readonly PlanNode[]> {
  const cursor = cursorId === undefined ? {} : { cursorId }
  const {
    name,
    text,
    values = [],
  } = findDeliveriesQuery({ tenant: TENANT, filter, order: 'desc', limit: 50, ...cursor })
  await pool.query({ name: name ?? '', text, values })
  const literals = values.map((value) =>
    value instanceof Date
      ? `'${value.toISOString()}'`
      : `'${Array.isArray(value) ? `{${value.join(',')}}` : String(value)}'`,
  )
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE "${name}" (${literals.join(', ')})`,
  )
  const [plan] = JSON.parse(String(rows[0]?.['QUERY PLAN'])) as [{ Plan: PlanNode }]
  return flatten(plan.Plan)
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

describe('the plan of a list of deliveries', () => {
  test.each(FILTERS)(
    'of %s ranges over one index of each partition and sorts no more than a page scans, but for an event',
    async (_, filterOf, index) => {
      const filter = filterOf()
      for (const nodes of [await explain(filter), await explain(filter, written[3000]?.id)]) {
        const scans = nodes.filter(
          (node) => node['Node Type'].includes('Scan') && node['Node Type'] !== 'Subquery Scan',
        )
        const ofDeliveries = scans.filter((node) => node['Index Name']?.startsWith('deliveries_') === true)
        const byPage = ofDeliveries.filter((node) => node['Index Name']?.endsWith('_pkey') === false)
        expect(byPage.length).toBeGreaterThan(0)
        for (const node of byPage) expect(node['Index Name']).toMatch(index)
        expect(nodes.filter((node) => /Seq Scan|Bitmap/.test(node['Node Type']))).toEqual([])
        if (filter.eventId !== undefined) continue
        const sorted = nodes.filter((node) => node['Node Type'] === 'Sort').flatMap(({ Plans = [] }) => Plans)
        for (const node of sorted) expect(node['Actual Rows']).toBeLessThanOrEqual(500)
      }
    },
  )
})
