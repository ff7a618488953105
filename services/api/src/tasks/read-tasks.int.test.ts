import { newEventId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { listTasks } from './read-tasks.ts'

const NOW_MS = Date.now()
const WEEK_MS = 7 * 86_400_000

const database = await createTestDatabase()
const owner = database.openPool({ owner: true })
const pool = database.openPool({ settings: LIST_SETTINGS })

afterAll(() => database.drop())

async function insert(
  type: string,
  o: { task?: string; agoMs: number; agent?: string; tenant?: string; data?: string },
): Promise<string> {
  const id = newEventId(NOW_MS - o.agoMs)
  await owner.query(
    `INSERT INTO events (tenant_id, id, type, task_id, session_id, agent, epoch, partition, "offset", appended_at, data)
     VALUES ($1, $2, $3, $4, $5, $6, 1, 0, $7, now(), $8)`,
    [
      o.tenant ?? 'mine',
      typeIdToUuid('evt', id),
      type,
      o.task ?? null,
      o.task === undefined ? 's' : null,
      o.agent ?? null,
      offset++,
      o.data ?? '{}',
    ],
  )
  return id
}
let offset = 0

/** Ids of the two events of each task of a page. */
const idsOf = ({ tasks }: Awaited<ReturnType<typeof listTasks>>) =>
  tasks.map(({ created, last }) => [created.id, last.id])

const made: Record<string, string> = {}

beforeAll(async () => {
  made['old'] = await insert('task.created', { task: 'old', agent: 'a', agoMs: 3 * WEEK_MS })
  // An event that was posted late: it is older than the task's first one.
  await insert('task.progress', { task: 'young', agoMs: 2 * WEEK_MS })
  made['old complete'] = await insert('task.complete', { task: 'old', agoMs: WEEK_MS })
  made['young'] = await insert('task.created', { task: 'young', agent: 'b', agoMs: 5_000 })
  made['other'] = await insert('task.created', { task: 'old', tenant: 'other', agoMs: 1_000 })
  await insert('task.progress', { task: 'without', agoMs: 900 })
  await insert('session.message', { agoMs: 800 })
})

test('tasks are listed by their creation, each with its newest event', async () => {
  const expected = [
    [made['young'], made['young']],
    [made['old'], made['old complete']],
  ]
  expect(idsOf(await listTasks(pool, { tenant: 'mine', limit: 100 }))).toEqual(expected)
  expect(idsOf(await listTasks(pool, { tenant: 'other', limit: 100 }))).toEqual([[made['other'], made['other']]])
  expect(await listTasks(pool, { tenant: 'nobody', limit: 100 })).toEqual({ tasks: [], hasMore: false })

  const first = await listTasks(pool, { tenant: 'mine', limit: 1 })
  const cursorId = first.tasks[0]?.created.id ?? ''
  const second = await listTasks(pool, { tenant: 'mine', limit: 1, cursorId })
  expect([...idsOf(first), ...idsOf(second)]).toEqual(expected)
  expect([first.hasMore, second.hasMore]).toEqual([true, false])

  expect(idsOf(await listTasks(pool, { tenant: 'mine', agent: 'a', limit: 9 }))).toEqual([expected[1]])
  expect(idsOf(await listTasks(pool, { tenant: 'mine', afterMs: NOW_MS - 5_001, limit: 9 }))).toEqual([expected[0]])
  expect(idsOf(await listTasks(pool, { tenant: 'mine', beforeMs: NOW_MS - 5_000, limit: 9 }))).toEqual([expected[1]])
})

test('a task that was created twice is listed with each, and with the same newest event', async () => {
  const first = await insert('task.created', { task: 'twice', tenant: 'repeating', agoMs: 2_000 })
  const second = await insert('task.created', { task: 'twice', tenant: 'repeating', agoMs: 1_000 })
  const page = await listTasks(pool, { tenant: 'repeating', limit: 9 })
  expect(idsOf(page)).toEqual([
    [second, second],
    [first, second],
  ])
})

test('a page ends before its payloads pass 4 MiB, and is never empty', async () => {
  const data = JSON.stringify({ text: 'x'.repeat(1_500_000) })
  for (const task of ['one', 'two', 'three']) {
    await insert('task.created', { task, tenant: 'heavy', agoMs: 60_000, data })
    await insert('task.progress', { task, tenant: 'heavy', agoMs: 10_000, data })
  }
  const pages: number[] = []
  let cursorId: string | undefined
  do {
    const from = cursorId === undefined ? {} : { cursorId }
    const page = await listTasks(pool, { tenant: 'heavy', limit: 100, ...from })
    pages.push(page.tasks.length)
    cursorId = page.hasMore ? page.tasks.at(-1)?.created.id : undefined
  } while (cursorId !== undefined)
  expect(pages).toEqual([1, 1, 1])
})
