import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventIdMs, newEventId, type EventFilter } from '@ariftly/events'
import { type ProjectedEvent, createTestDatabase, insertEvents, insertLogTimes, sampleRow } from '@ariftly/testkit'
import { advancePositions, ensurePositions, openEpoch } from '@ariftly/store/projection'
import { withTransaction } from '@ariftly/store'
import { earliestLogTime, positionsAtLogTime } from './positions-at-log-time.ts'
import { findEarlierDuplicates } from './find-earlier-duplicates.ts'
import { isLongHistory } from './is-long-history.ts'
import { newestEventTimes } from './newest-event-times.ts'
import { readHistoryPage } from './read-history-page.ts'

const TOPIC = 'streams-test'
const KEY = { projection: 'events', epoch: 1, topic: TOPIC } as const
const PARTITIONS = 3
const ROWS = 900
const NOW_MS = Date.now()

const database = await createTestDatabase()
const pool = database.openPool()
let model: readonly ProjectedEvent[]

beforeAll(async () => {
  await openEpoch(database.openPool({ owner: true }), { topic: TOPIC, clusterId: 'test', topicId: 'test' })
  await ensurePositions(pool, { ...KEY, starts: new Map([0, 1, 2].map((partition) => [partition, 0])) })
  model = Array.from({ length: ROWS }, (_, index) => eventAt(index))
  await insertEvents(pool, model)
  for (const partition of [0, 1]) await advance(partition, 0, 300)
  // Of partition 2 only the first hundred offsets are projected, although the table has more rows.
  await advance(2, 0, 100)
})

afterAll(() => database.drop())

function eventAt(index: number): ProjectedEvent {
  const taskId = `task_${index % 7}`
  return sampleRow({
    tenant: index % 10 === 0 ? 'other' : 'mine',
    id: newEventId(NOW_MS - (index % 13) * 86_400_000 - index),
    type: index % 4 === 0 ? 'task.failed' : 'task.progress',
    taskId,
    sessionId: index % 5 === 0 ? 's1' : null,
    agent: index % 50 === 3 ? 'rare' : null,
    data: Buffer.from(`{"task_id":"${taskId}","n":${index}.0,"x":"${'x'.repeat(index % 97)}"}`),
    partition: index % PARTITIONS,
    offset: Math.floor(index / PARTITIONS),
    appendedAtMs: NOW_MS - ROWS + index,
  })
}

async function advance(partition: number, expected: number, next: number): Promise<void> {
  await withTransaction(pool, (tx) =>
    advancePositions(tx, { ...KEY, advances: [{ partition, expected, next, lastOffset: null, lastId: null }] }),
  )
}

/** The time in the newest id of a tenant. */
function newestOf(tenant: string): number {
  return Math.max(-Infinity, ...model.filter((event) => event.tenant === tenant).map(({ id }) => eventIdMs(id)))
}

const all = (offset = 0) => new Map([0, 1, 2].map((partition) => [partition, offset]))
const LIMITS = { rowsMax: 1000, bytesMax: 1e9, scanMax: 1e6 }

function read(filter: EventFilter, o: Partial<Parameters<typeof readHistoryPage>[1]> = {}) {
  return readHistoryPage(pool, { tenant: 'mine', filter, epoch: 1, topic: TOPIC, positions: all(), ...LIMITS, ...o })
}

function expectedIn(partition: number, filter: EventFilter): ProjectedEvent[] {
  return model.filter(
    (event) =>
      event.tenant === 'mine' &&
      event.partition === partition &&
      event.offset < (partition === 2 ? 100 : 300) &&
      (filter.taskId === undefined || event.taskId === filter.taskId) &&
      (filter.sessionId === undefined || event.sessionId === filter.sessionId) &&
      (filter.agent === undefined || event.agent === filter.agent) &&
      filter.types?.includes(event.type) !== false,
  )
}

const FILTERS: readonly (readonly [string, EventFilter])[] = [
  ['none', {}],
  ['task', { taskId: 'task_3' }],
  ['session', { sessionId: 's1' }],
  ['agent', { agent: 'rare' }],
  ['types', { types: ['task.failed'] }],
  ['all', { taskId: 'task_3', sessionId: 's1', types: ['task.failed', 'task.progress'] }],
]

describe('a page of history', () => {
  test.each(FILTERS)(
    'with filter %s has the rows of the projection below its position, with the same bytes',
    async (_, filter) => {
      const pages = await read(filter)
      for (const partition of [0, 1, 2]) {
        const expected = expectedIn(partition, filter)
        const page = pages.get(partition)
        expect(page?.rows.map(({ offset }) => offset)).toEqual(expected.map(({ offset }) => offset))
        expect(page?.rows.map(({ id, data }) => [id, data.toString()])).toEqual(
          expected.map(({ id, data }) => [id, data.toString()]),
        )
        const nextOffset = partition === 2 ? 100 : 300
        expect(page).toMatchObject({ nextOffset, readTo: nextOffset, cutId: undefined })
      }
    },
  )

  test.each(FILTERS)(
    'with filter %s is cut by rows, bytes and scanned rows, and the next one continues there',
    async (_, filter) => {
      for (const limits of [
        { rowsMax: 7 },
        { bytesMax: 200 },
        { scanMax: 11 },
        { rowsMax: 3, bytesMax: 150, scanMax: 5 },
        { scan: true },
        { rowsMax: 7, scanMax: 40, scan: true },
      ]) {
        const positions = all()
        const offsets: number[][] = [[], [], []]
        for (let page = 0; page < 400; page += 1) {
          const pages = await read(filter, { positions: new Map(positions), ...limits })
          for (const [partition, { rows, readTo }] of pages) {
            expect(rows.length).toBeLessThanOrEqual(limits.rowsMax ?? 1000)
            offsets[partition]?.push(...rows.map(({ offset }) => offset))
            positions.set(partition, readTo)
          }
          if ([...pages.values()].every(({ readTo, nextOffset }) => readTo === nextOffset)) break
        }
        expect(offsets).toEqual([0, 1, 2].map((partition) => expectedIn(partition, filter).map(({ offset }) => offset)))
      }
    },
  )

  test('that is read by position scans a bounded number of rows, also of a task', async () => {
    const pages = await read({ taskId: 'task_3' }, { scan: true, scanMax: 30 })
    for (const partition of [0, 1, 2]) {
      const seen = expectedIn(partition, {}).slice(0, 30)
      const page = pages.get(partition)
      expect(page?.rows.map(({ offset }) => offset)).toEqual(
        seen.filter(({ taskId }) => taskId === 'task_3').map(({ offset }) => offset),
      )
      expect(page?.readTo).toBe((seen.at(-1)?.offset ?? 0) + 1)
    }
  })

  test('reads rows of the one partition that can have them, and how far the others are', async () => {
    const pages = await read({ taskId: 'task_3' }, { onlyPartition: 1 })
    expect([0, 1, 2].map((partition) => pages.get(partition)?.rows.length)).toEqual([
      0,
      expectedIn(1, { taskId: 'task_3' }).length,
      0,
    ])
    expect([0, 2].map((partition) => pages.get(partition)?.readTo)).toEqual([300, 100])
  })

  test("shows a partition up to the projection's position in the same snapshot, while it advances", async () => {
    let next = 100
    const moving = (async () => {
      for (; next < 300; next += 10) await advance(2, next, next + 10)
    })()
    const offsets: number[] = []
    let position = 0
    while (position < 300) {
      const page = (await read({}, { positions: new Map([[2, position]]) })).get(2)
      offsets.push(...(page?.rows.map(({ offset }) => offset) ?? []))
      position = page?.readTo ?? 0
    }
    await moving
    const expected = model.filter((event) => event.tenant === 'mine' && event.partition === 2)
    expect(offsets).toEqual(expected.map(({ offset }) => offset))
  })
})

async function isLong(filter: EventFilter, rowsMax: number): Promise<boolean> {
  return await isLongHistory(pool, { tenant: 'mine', filter, rowsMax })
}

describe('a long history', () => {
  test('is one of a task or session with more events of the tenant than asked for, found by its index', async () => {
    const ofTask = model.filter(({ tenant, taskId }) => tenant === 'mine' && taskId === 'task_3').length
    const ofSession = model.filter(({ tenant, sessionId }) => tenant === 'mine' && sessionId === 's1').length
    for (const [filter, count] of [
      [{ taskId: 'task_3' }, ofTask],
      [{ sessionId: 's1' }, ofSession],
      [{ taskId: 'task_3', sessionId: 's1' }, ofTask],
    ] as const) {
      expect([await isLong(filter, count - 1), await isLong(filter, count)]).toEqual([true, false])
    }
    expect(await isLong({ agent: 'rare' }, 0)).toBe(false)
  })
})

describe('duplicates', () => {
  test('are records whose id is at a lower offset of their partition or in an older epoch', async () => {
    const first = model[31]
    if (first === undefined) throw new Error('no model')
    const { tenant, id, partition, offset } = first
    const candidates = [
      { tenant, id, offset },
      { tenant, id, offset: offset + 1 },
      { tenant: 'nobody', id, offset: offset + 1 },
      { tenant, id: newEventId(NOW_MS), offset: offset + 1 },
    ]
    expect([...(await findEarlierDuplicates(pool, { epoch: 1, partition, candidates }))]).toEqual([1])
    expect([...(await findEarlierDuplicates(pool, { epoch: 1, partition: partition + 1, candidates }))]).toEqual([])
    expect([...(await findEarlierDuplicates(pool, { epoch: 2, partition: partition + 1, candidates }))]).toEqual([0, 1])
  })

  test('have no id that is newer than the newest of their tenant', async () => {
    const tenants = ['mine', 'nobody', 'other']
    expect(await newestEventTimes(pool, tenants)).toEqual(new Map(tenants.map((tenant) => [tenant, newestOf(tenant)])))
  })
})

describe('log time', () => {
  test('gives for each partition the last known offset at or before a moment', async () => {
    for (const [partition, offset, second] of [
      [0, 0, 10],
      [0, 50, 20],
      [1, 7, 15],
    ] as const) {
      const appendedAtMs = second * 1000
      await withTransaction(pool, (tx) =>
        insertLogTimes(tx, { epoch: 1, times: [{ partition, offset, appendedAtMs }] }),
      )
    }
    const at = async (atMs: number) => [...(await positionsAtLogTime(pool, { epoch: 1, partitions: 3, atMs }))]
    expect(await at(9_999)).toEqual([])
    expect(await at(15_000)).toEqual([
      [0, 0],
      [1, 7],
    ])
    expect(await at(19_999)).toEqual([
      [0, 0],
      [1, 7],
    ])
    expect(await at(20_000)).toEqual([
      [0, 50],
      [1, 7],
    ])
    expect(await earliestLogTime(pool, { epoch: 1, partitions: 3, sinceMs: 0 })).toBe(10_000)
    expect(await earliestLogTime(pool, { epoch: 1, partitions: 3, sinceMs: 10_001 })).toBe(15_000)
    expect(await earliestLogTime(pool, { epoch: 1, partitions: 3, sinceMs: 20_001 })).toBeUndefined()
  })
  test('gives an offset before all that was appended at or after a moment when the clock was set back', async () => {
    // Set back by 40 s after offset 30.
    const seconds = new Map([
      [0, 1000],
      [10, 1020],
      [20, 1040],
      [30, 1050],
      [40, 1010],
      [50, 1030],
      [60, 1050],
      [70, 1070],
    ])
    const times = [...seconds].map(([offset, at]) => ({ partition: 2, offset, appendedAtMs: at * 1000 }))
    await withTransaction(pool, (tx) => insertLogTimes(tx, { epoch: 1, times }))
    for (const [at, expected] of [
      [1000, 0],
      [1015, 0],
      [1030, 10],
      [1045, 20],
      [1055, 60],
      [2000, 70],
    ] as const) {
      const found = await positionsAtLogTime(pool, { epoch: 1, partitions: 3, atMs: at * 1000 })
      expect([at, found.get(2)]).toEqual([at, expected])
    }
  })
})
