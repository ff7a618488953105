import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, newEventId, uuidToTypeId, type EventFilter } from '@ariftly/events'
import { type ProjectedEvent, createTestDatabase, insertEvents, sampleRow } from '@ariftly/testkit'
import { getEvent } from './events.ts'
import { LIST_SETTINGS, listEvents, type EventPage, type ListEventsOptions } from './list-events.ts'

const DAY_MS = 86_400_000
const EVENTS = 4000
/** Of the start of a minute, so that bounds are exact. */
const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000

const database = await createTestDatabase()
const pool = database.openPool({ settings: LIST_SETTINGS })
let model: readonly ProjectedEvent[]

beforeAll(async () => {
  model = makeEvents()
  for (let at = 0; at < model.length; at += 1000) await insertEvents(pool, model.slice(at, at + 1000))
})
afterAll(() => database.drop())

/** Over 80 days in two tenants, with tasks, agents, sessions and types that cross. */
function makeEvents(): ProjectedEvent[] {
  return Array.from({ length: EVENTS }, (_, index): ProjectedEvent => {
    const ms = NOW_MS - Math.floor((index / EVENTS) * 80 * DAY_MS)
    return sampleRow({
      tenant: index % 5 === 0 ? 'other' : 'mine',
      type: EVENT_TYPES[(index * 7) % 9] ?? 'task.created',
      taskId: `task_${Math.floor(index / 3) % 40}`,
      sessionId: index % 3 === 0 ? `session_${index % 12}` : null,
      agent: index % 4 === 0 ? null : `agent_${index % 7}`,
      data: Buffer.from(`{"task_id":"task_${Math.floor(index / 3) % 40}","n":1.0e${index}}`),
      partition: index % 12,
      offset: index,
      appendedAtMs: ms,
    })
  })
}

const FILTERS: readonly (readonly [string, EventFilter])[] = [
  ['none', {}],
  ['task', { taskId: 'task_7' }],
  ['agent', { agent: 'agent_3' }],
  ['session', { sessionId: 'session_6' }],
  ['type', { types: ['task.failed'] }],
  ['a type without events', { types: ['tool_call.executed'] }],
  ['three types', { types: ['task.failed', 'task.created', 'session.closed'] }],
  ['all types', { types: EVENT_TYPES }],
  ['task and agent', { taskId: 'task_7', agent: 'agent_3' }],
  ['task and session', { taskId: 'task_7', sessionId: 'session_9' }],
  ['task and type', { taskId: 'task_7', types: ['task.failed'] }],
  ['task and types', { taskId: 'task_7', types: ['task.failed', 'task.created'] }],
  ['agent and session', { agent: 'agent_3', sessionId: 'session_9' }],
  ['agent and type', { agent: 'agent_3', types: ['task.failed'] }],
  ['agent and types', { agent: 'agent_3', types: ['task.failed', 'task.created'] }],
  ['session and type', { sessionId: 'session_9', types: ['task.failed'] }],
  ['all four', { taskId: 'task_7', sessionId: 'session_9', agent: 'agent_3', types: ['task.failed'] }],
]

type Request = Omit<ListEventsOptions, 'tenant' | 'limit'>

function expected({ filter, order, afterMs = 0, beforeMs = Infinity }: Request): string[] {
  const fits = (event: ProjectedEvent): boolean =>
    event.tenant === 'mine' &&
    event.appendedAtMs > afterMs &&
    event.appendedAtMs < beforeMs &&
    (filter.taskId === undefined || event.taskId === filter.taskId) &&
    (filter.sessionId === undefined || event.sessionId === filter.sessionId) &&
    (filter.agent === undefined || event.agent === filter.agent) &&
    filter.types?.includes(event.type) !== false
  const ids = model
    .filter(fits)
    .map(({ id }) => id)
    .toSorted()
  return order === 'asc' ? ids : ids.toReversed()
}

async function walk(request: Request, limit: number): Promise<EventPage['events'][number][]> {
  const all: EventPage['events'][number][] = []
  for (let cursorId: string | undefined; ; cursorId = all.at(-1)?.id) {
    const page = await listEvents(pool, {
      ...request,
      tenant: 'mine',
      limit,
      ...(cursorId === undefined ? {} : { cursorId }),
    })
    all.push(...page.events)
    expect(page.events.length).toBeLessThanOrEqual(limit)
    if (!page.hasMore) return all
    expect(page.events).toHaveLength(limit)
  }
}

function msOf(index: number): number {
  return model[index]?.appendedAtMs ?? 0
}

describe.each(FILTERS)('a list by %s', (_name, filter) => {
  test.each(['desc', 'asc'] as const)(
    'is each matching event of the tenant once over its pages, in order of id (%s)',
    async (order) => {
      const events = await walk({ filter, order }, 97)
      expect(events.map(({ id }) => id)).toEqual(expected({ filter, order }))
    },
  )

  test.each(['desc', 'asc'] as const)('keeps within its bounds, which are exclusive (%s)', async (order) => {
    const request = { filter, order, afterMs: msOf(3000), beforeMs: msOf(200) }
    const events = await walk(request, 500)
    expect(events.map(({ id }) => id)).toEqual(expected(request))
  })
})

describe('a page', () => {
  const tenant = 'big'
  const bytes = 256 * 1024
  let ids: string[]

  beforeAll(async () => {
    const events = Array.from({ length: 20 }, (_, index): ProjectedEvent => {
      const padding = 'x'.repeat(bytes - '{"task_id":"t","x":""}'.length)
      const data = Buffer.from(`{"task_id":"t","x":"${padding}"}`)
      const place = { offset: 10_000 + index, appendedAtMs: NOW_MS }
      return sampleRow({ tenant, type: 'task.created', ...place, id: newEventId(NOW_MS + index), data })
    })
    for (const event of events) await insertEvents(pool, [event])
    ids = events.map(({ id }) => id).toReversed()
  })

  test('ends before its data would pass 4 MiB, and the next one continues from there', async () => {
    const first = await listEvents(pool, { tenant, filter: {}, order: 'desc', limit: 500 })
    expect(first.hasMore).toBe(true)
    expect(first.events.map(({ id }) => id)).toEqual(ids.slice(0, 16))
    expect(first.events.every(({ data }) => data.length === bytes)).toBe(true)
    const cursorId = ids[15] ?? ''
    const second = await listEvents(pool, { tenant, filter: {}, order: 'desc', limit: 500, cursorId })
    expect(second.hasMore).toBe(false)
    expect(second.events.map(({ id }) => id)).toEqual(ids.slice(16))
  })

  test('has an event even if that alone passes the limit', async () => {
    const page = await listEvents(pool, { tenant, filter: {}, order: 'desc', limit: 500, dataBytesMax: 10 })
    expect(page).toMatchObject({ hasMore: true, events: [{ id: ids[0] }] })
  })

  test('takes a limit of 500, and is the last page', async () => {
    const page = await listEvents(pool, { tenant: 'other', filter: {}, order: 'asc', limit: 500 })
    expect(page.events).toHaveLength(500)
    expect(page.hasMore).toBe(true)
  })
})

describe('one event', () => {
  test('is read unchanged, its data with the same bytes', async () => {
    const event = model[1]
    if (event === undefined) throw new Error('no event')
    const { traceparent: _, tenant: __, epoch: ___, ...stored } = event
    const found = await getEvent(pool, { tenant: 'mine', id: event.id })
    expect(found).toEqual({ ...stored, projectedAtMs: expect.any(Number) })
  })

  test('is not there for another tenant, nor with an unknown id', async () => {
    expect(await getEvent(pool, { tenant: 'other', id: model[1]?.id ?? '' })).toBeUndefined()
    const none = uuidToTypeId('evt', '01900000-0000-7000-8000-000000000000')
    expect(await getEvent(pool, { tenant: 'mine', id: none })).toBeUndefined()
  })
})
