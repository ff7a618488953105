import type { Queryable } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { createTestDatabase, explaining, rowsRead } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isLongHistory } from './is-long-history.ts'
import { readHistoryPage } from './read-history-page.ts'

/** Of one task and session and of one week, so many that the primary key is the cheaper index by its size. */
const EVENTS = 30_000
const DAY_MS = 86_400_000

const database = await createTestDatabase()
const owner = database.openPool({ owner: true })
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })

beforeAll(async () => {
  await owner.query(
    `INSERT INTO events (tenant_id, id, type, task_id, session_id, epoch, partition, "offset", appended_at, data)
     SELECT 'mine', uuid_v7_floor(week_start_ms($1) + n * 10000), 'task.progress', 'busy', 'busy', 1, 0, n, now(), '{}'
       FROM generate_series(1, ${EVENTS}) AS n`,
    [Date.now() - 14 * DAY_MS],
  )
  await owner.query(
    `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (1, 't', 'c', 'i');
     INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', 1, 't', 0, ${EVENTS});
     ANALYZE events`,
  )
})
afterAll(() => database.drop())

const page = {
  tenant: 'mine',
  epoch: 1,
  topic: 't',
  positions: new Map([[0, 0]]),
  rowsMax: 10,
  bytesMax: 1e6,
  scanMax: 1_000,
}

test.each<readonly [name: string, index: RegExp, read: (db: Queryable) => Promise<unknown>]>([
  ["a task's history", /_task(_|$)/, (db) => readHistoryPage(db, { ...page, filter: { taskId: 'rare' } })],
  ["a session's history", /_session(_|$)/, (db) => readHistoryPage(db, { ...page, filter: { sessionId: 'rare' } })],
  [
    'the length of a history',
    /_task(_|$)/,
    (db) => isLongHistory(db, { tenant: 'mine', filter: { taskId: 'rare' }, rowsMax: 9 }),
  ],
])(
  '%s is read by its index, and no row of others, where statistics know one task and session',
  async (_name, index, read) => {
    const { db, scans } = explaining(pool)
    await read(db)
    const used = scans.filter((node) => node['Relation Name'] !== 'projection_offsets')
    expect(used.filter((node) => rowsRead(node) > 2)).toEqual([])
    const names = used.flatMap((node) => node['Index Name'] ?? [])
    expect(names.filter((name) => index.test(name)).length).toBeGreaterThan(0)
  },
)
