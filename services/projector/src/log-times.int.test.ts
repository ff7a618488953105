import { afterAll, expect, test } from '@jest/globals'
import { createTestDatabase } from '@ariftly/testkit'
import { deleteExpiredLogTimes } from './log-times.ts'

const DAY_MS = 86_400_000
const database = await createTestDatabase()
const pool = database.openPool()
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

test('expired log times are deleted except for the newest of each partition, so that positions remain known', async () => {
  const nowMs = Date.now()
  const agesOfPartitions = [
    [95, 93, 92, 10],
    [99, 98],
    [20, 1],
  ]
  await admin.query(`INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (7, 't', 'c', 'i')`)
  for (const [partition, ages] of agesOfPartitions.entries()) {
    await pool.query(
      `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', 7, 't', $1, 0)`,
      [partition],
    )
    for (const [index, age] of ages.entries()) {
      await pool.query(
        `INSERT INTO log_times (epoch, partition, "offset", appended_at) VALUES (7, $1, $2, to_timestamp($3::float8 / 1000))`,
        [partition, index * 10, nowMs - age * DAY_MS],
      )
    }
  }
  expect(await deleteExpiredLogTimes(pool)).toBe(3)
  const { rows } = await pool.query(`SELECT partition, "offset" FROM log_times ORDER BY partition, "offset"`)
  expect(rows.map((row) => Object.values(row as object))).toEqual([
    [0, 20],
    [0, 30],
    [1, 10],
    [2, 0],
    [2, 10],
  ])
  expect(await deleteExpiredLogTimes(pool)).toBe(0)
})

test('no log time is deleted for its age by a clock that is ahead of the log', async () => {
  const { rowCount } = await admin.query(`UPDATE log_times SET appended_at = appended_at - interval '500 days'`)
  expect(await deleteExpiredLogTimes(pool)).toBe(0)
  expect((await pool.query('SELECT FROM log_times')).rowCount).toBe(rowCount)
})
