import { createTestDatabase, eventually, silentLog } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { dropExpiredEventPartitions, ensureEventPartitions } from './events/events.ts'
import type { Queryable } from './queryable.ts'
import { DEFAULT_RETENTION, readRetention, watchRetention, writeRetention } from './retention.ts'

const DAY_MS = 86_400_000
const DEFAULT_DAYS = { events: 90, log: 7, deliveries: 35 }

const database = await createTestDatabase()
const owner = database.openPool({ owner: true })
const service = database.openPool()

afterAll(() => database.drop())

async function partitions(): Promise<number> {
  const { rows } = await owner.query(`SELECT FROM pg_inherits WHERE inhparent = 'events'::regclass`)
  return rows.length
}

test('is read by the services, who may not change it, and written by the owner, who may not contradict himself', async () => {
  expect(await readRetention(service)).toEqual(DEFAULT_RETENTION)
  await expect(writeRetention(service, { ...DEFAULT_DAYS, events: 35 })).rejects.toThrow('permission denied')
  await expect(writeRetention(owner, { ...DEFAULT_DAYS, log: 91 })).rejects.toMatchObject({ sqlState: '23514' })
  expect(await writeRetention(owner, { events: 400, log: 14, deliveries: 60 })).toBe(true)
  expect(await writeRetention(owner, { events: 400, log: 14, deliveries: 60 })).toBe(false)
  expect(await readRetention(service)).toEqual({
    eventsMs: 400 * DAY_MS,
    logMs: 14 * DAY_MS,
    deliveriesMs: 60 * DAY_MS,
  })
})

test('decides which partitions of events are made and dropped', async () => {
  await writeRetention(owner, { ...DEFAULT_DAYS, events: 200 })
  const nowMs = Date.now()
  const before = await partitions()
  await ensureEventPartitions(service, { minMs: nowMs - 200 * DAY_MS, maxMs: nowMs })
  expect(await partitions()).toBeGreaterThanOrEqual(before + 14)
  expect(await dropExpiredEventPartitions(service)).toEqual([])
  await writeRetention(owner, { ...DEFAULT_DAYS, events: 35 })
  const dropped = await dropExpiredEventPartitions(service)
  expect(dropped.length).toBeGreaterThanOrEqual(20)
  // Nothing younger than 35 days, the log's 7 and one more is dropped.
  const ensured = await ensureEventPartitions(service, { minMs: nowMs - 43 * DAY_MS, maxMs: nowMs })
  expect(ensured.created).toBe(0)
})

test('is followed by its watch, and the last reading is used while Postgres is unavailable', async () => {
  await writeRetention(owner, DEFAULT_DAYS)
  let away = false
  const db: Queryable = {
    async query(config, values) {
      if (away) throw new Error('away')
      return await service.query(config, values)
    },
  }
  const watch = watchRetention({ db, log: silentLog, everyMs: 20 })
  await writeRetention(owner, { ...DEFAULT_DAYS, events: 120 })
  await eventually('120 days are in force', () => watch.current().eventsMs === 120 * DAY_MS)
  away = true
  await writeRetention(owner, DEFAULT_DAYS)
  expect(watch.current().eventsMs).toBe(120 * DAY_MS)
  away = false
  await eventually('90 days are in force', () => watch.current().eventsMs === 90 * DAY_MS)
  await watch.close()
})
