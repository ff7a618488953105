import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, type EventFilter, type EventType } from '@ariftly/events'
import { type ProjectedEvent, createTestDatabase, insertEvents, sampleRow } from '@ariftly/testkit'
import { LIST_SETTINGS, listEventsQuery, type ListEventsOptions } from './list-events.ts'

const DAY_MS = 86_400_000
const LIMIT = 50
/** A page reads one row more than it shows, to know whether there are more; and the window function one more than that. */
const PAGE_ROWS = LIMIT + 2
const NOW_MS = Date.now()
/** Events of the busy task and the busy agent, over 80 days, among as many events of others. */
const BUSY = 2_000
const OTHERS = 6_000
/** Of the newest days: with so many the tree of the primary key is a level lower than the others of its week. */
const DENSE = 16_000
const DENSE_DAYS = 2

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })
let ids: readonly string[]

afterAll(() => database.drop())

/** A busy task of a busy agent, nearly all of whose events are progress; the rare type, and other agents, are elsewhere. */
function makeEvents(): ProjectedEvent[] {
  return Array.from({ length: DENSE + BUSY + OTHERS }, (_, index): ProjectedEvent => {
    const days =
      index < DENSE
        ? (index / DENSE) * DENSE_DAYS
        : DENSE_DAYS + ((index - DENSE) / (BUSY + OTHERS)) * (80 - DENSE_DAYS)
    const ms = NOW_MS - Math.floor(days * DAY_MS)
    const busy = index % 4 === 0
    return sampleRow({
      tenant: 'mine',
      type: busy ? 'task.progress' : (EVENT_TYPES[index % 10] ?? 'task.created'),
      taskId: busy ? 'busy' : `task_${index % 100}`,
      sessionId: busy ? 'session_busy' : `session_${index % 100}`,
      agent: busy ? 'agent_busy' : `agent_${index % 7}`,
      data: Buffer.from('{"task_id":"busy"}'),
      offset: index,
      appendedAtMs: ms,
    })
  })
}

const SINGLE = {
  task: { taskId: 'busy' },
  'a rare type': { types: ['approval.resolved'] },
  'another agent': { agent: 'agent_3' },
  agent: { agent: 'agent_busy' },
  type: { types: ['task.progress'] },
  types: { types: ['approval.resolved', 'session.closed'] },
  session: { sessionId: 'session_busy' },
} as const satisfies Record<string, EventFilter>

type Name = keyof typeof SINGLE

/** The filters of the specification alone and in pairs, also pairs that match nothing; and other parameters of lists. */
const SHAPES: readonly (readonly Name[])[] = [
  [],
  ['task'],
  ['agent'],
  ['type'],
  ['types'],
  ['session'],
  ['task', 'agent'],
  ['task', 'another agent'],
  ['task', 'type'],
  ['task', 'a rare type'],
  ['task', 'types'],
  ['agent', 'type'],
  ['agent', 'a rare type'],
  ['agent', 'types'],
  ['task', 'agent', 'a rare type'],
  ['session', 'a rare type'],
  ['session', 'another agent'],
]

const WINDOWS: readonly (readonly [string, Partial<ListEventsOptions> | (() => Partial<ListEventsOptions>)])[] = [
  ['without bounds', {}],
  ['after', { afterMs: NOW_MS - 30 * DAY_MS }],
  ['before', { beforeMs: NOW_MS - 30 * DAY_MS }],
  ['after and before', { afterMs: NOW_MS - 40 * DAY_MS, beforeMs: NOW_MS - 30 * DAY_MS }],
  ['from a cursor', () => ({ cursorId: ids[4_000] ?? '' })],
]

const CASES = SHAPES.flatMap((shape) =>
  WINDOWS.flatMap(([window, bounds]) =>
    (['desc', 'asc'] as const).map((order) => {
      const filter: EventFilter = Object.assign({}, ...shape.map((name) => SINGLE[name]))
      return { shape: shape.join(' and ') || 'no filter', window, order, filter, bounds }
    }),
  ),
)

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Subplans Removed'?: number
  readonly Plans?: readonly PlanNode[]
}

/** All nodes of the plan in use, the prepared statement's; executed, unless `run` is false. */
async function explain(request: Omit<ListEventsOptions, 'tenant' | 'limit'>, run = true): Promise<readonly PlanNode[]> {
  const { name, text, values } = listEventsQuery({ ...request, tenant: 'mine', limit: LIMIT })
  await pool.query({ name, text, values })
  const { rows } = await pool.query<{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }>(
    `EXPLAIN (${run ? 'ANALYZE, TIMING OFF, ' : ''}FORMAT JSON) EXECUTE "${name}" (${values.map(literal).join(', ')})`,
  )
  const plan = rows[0]?.['QUERY PLAN']
  return flatten((typeof plan === 'string' ? (JSON.parse(plan) as typeof plan) : plan)?.[0].Plan)
}

function flatten(node: PlanNode | undefined): PlanNode[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(flatten)]
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `'{${value.join(',')}}'`
  return typeof value === 'number' ? String(value) : `'${String(value)}'`
}

const isScan = (node: PlanNode): boolean => node['Node Type'] === 'Index Scan'
const isForbidden = (node: PlanNode): boolean => /Sort|Seq Scan|Bitmap/.test(node['Node Type'])

test.each([
  ['the primary key', {}, /_pkey$/],
  ['of tasks', { taskId: 'busy' }, /_task$/],
  ['of tasks', { taskId: 'busy', agent: 'agent_3' }, /_task$/],
  ['of tasks', { taskId: 'busy', types: ['task.failed'] as EventType[] }, /_task$/],
  ['of tasks', { taskId: 'busy', agent: 'agent_3', types: ['task.failed'] as EventType[] }, /_task$/],
  ['of agents', { agent: 'agent_3', types: ['task.failed'] as EventType[] }, /_agent$/],
  ['of types', { types: ['task.failed'] as EventType[] }, /_type$/],
  ['of sessions', { sessionId: 'session_6', types: ['task.failed'] as EventType[] }, /_session$/],
] as const)('without statistics, on an empty table, a list uses %s', async (_name, filter, index) => {
  const nodes = await explain({ filter, order: 'desc' }, false)
  expect(nodes.filter(isForbidden)).toEqual([])
  const used = nodes.filter(isScan).map((node) => node['Index Name'] ?? '')
  expect(used.length).toBeGreaterThan(10)
  expect(used.filter((name) => !index.test(name))).toEqual([])
})

describe.each(['without statistics', 'with statistics'])('%s', (statistics) => {
  beforeAll(async () => {
    if (statistics === 'without statistics') {
      const events = makeEvents()
      ids = events.map(({ id }) => id)
      for (let at = 0; at < events.length; at += 2_000) await insertEvents(pool, events.slice(at, at + 2_000))
    } else {
      await pool.query('ANALYZE events')
    }
  })

  test.each(CASES)('$shape, $window, $order: reads the rows of the page, and none to leave it out', async (one) => {
    const { filter, order } = one
    const bounds = typeof one.bounds === 'function' ? one.bounds() : one.bounds
    const nodes = await explain({ filter, order, ...bounds })
    expect(nodes.filter(isForbidden)).toEqual([])
    const scans = nodes.filter(isScan)
    const sum = (of: (node: PlanNode) => number | undefined): number =>
      scans.reduce((total, node) => total + (of(node) ?? 0) * (node['Actual Loops'] ?? 1), 0)
    expect(sum((node) => node['Rows Removed by Filter'])).toBe(0)
    // A merge holds the first row of each of its branches.
    const branches = Math.max(1, nodes.filter(({ 'Node Type': type }) => type === 'Append').length)
    expect(sum((node) => node['Actual Rows'])).toBeLessThanOrEqual(PAGE_ROWS + branches)
    if (Object.keys(bounds).length > 0) expect(nodes.some((node) => (node['Subplans Removed'] ?? 0) > 0)).toBe(true)
    // 10 days touch at most three weeks.
    if (one.window === 'after and before') expect(scans.length).toBeLessThanOrEqual(3 * branches)
  })
})
