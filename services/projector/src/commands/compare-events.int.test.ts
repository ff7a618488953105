import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTestDatabase } from '@ariftly/testkit'
import type { Queryable } from '@ariftly/store'
import { countEvents } from './compare-events.ts'
import { openEpoch } from '@ariftly/store/projection'

const WEEK_MS = 604_800_000

const database = await createTestDatabase()
const pool = database.openPool({ owner: true })
let epoch: number

beforeAll(async () => {
  epoch = (await openEpoch(pool, { topic: 'events', clusterId: 'c', topicId: 'test' })).epoch
  // An offset of each of two partitions in each of four weeks.
  await pool.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT 'mine', uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint - week * $2::bigint + partition), 'task.created', $1,
            partition, week, now(), '{}'
       FROM generate_series(0, 3) week, generate_series(0, 1) partition`,
    [epoch, WEEK_MS],
  )
})
afterAll(() => database.drop())

test('rows are counted by partition and offset, over all weeks', async () => {
  const ranges = [
    { partition: 0, from: 0, to: 4 },
    { partition: 1, from: 1, to: 3 },
    { partition: 2, from: 0, to: 9 },
  ]
  const counts = await countEvents(pool, { epoch, ranges })
  expect([...counts].toSorted(([a], [b]) => a - b)).toEqual([
    [0, 4],
    [1, 2],
  ])
  expect(await countEvents(pool, { epoch: epoch + 1, ranges })).toEqual(new Map())
})

test('each statement reads one weekly partition, and each partition is read', async () => {
  const read: string[] = []
  async function query(text: string, values: unknown[]): Promise<unknown> {
    if (text.includes('FROM events')) {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values)
      const children = rows.flatMap((row) => row['QUERY PLAN'].match(/events_p\d+/g) ?? [])
      const [child = '', ...others] = new Set(children.map((name) => name.slice(0, 'events_p20260101'.length)))
      expect(others).toEqual([])
      read.push(child)
    }
    return await pool.query(text, values)
  }
  await countEvents({ query } as unknown as Queryable, { epoch, ranges: [{ partition: 0, from: 0, to: 4 }] })
  const { rows } = await pool.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1`,
  )
  expect(read).toEqual(rows.map(({ name }) => name))
})
