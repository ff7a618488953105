import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTestDatabase } from '@ariftly/testkit'
import { openEpoch } from './log-epochs.ts'
import { recordGap } from './positions.ts'

const KEY = { projection: 'events', epoch: 1, topic: 'gaps-test', partition: 2 } as const

const database = await createTestDatabase()
const pool = database.openPool()

beforeAll(async () => {
  await openEpoch(database.openPool({ owner: true }), { topic: KEY.topic, clusterId: 'test', topicId: 'test' })
})

afterAll(() => database.drop())

test('a gap that has grown before the position moved is recorded in full, by the role of the services', async () => {
  for (const to of [10, 20, 15]) await recordGap(pool, { ...KEY, from: 5, to })
  await recordGap(pool, { ...KEY, from: 30, to: 31 })
  const { rows } = await pool.query('SELECT partition, from_offset, to_offset FROM log_holes ORDER BY from_offset')
  expect(rows).toEqual([
    { partition: 2, from_offset: 5, to_offset: 20 },
    { partition: 2, from_offset: 30, to_offset: 31 },
  ])
})
