import { expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { DEFAULT_RETENTION } from '@ariftly/store/retention'
import { isExpired } from './event-partitions.ts'

const DAY_MS = 86_400_000

test('an id is expired when its whole week, from Monday, is more than 98 days ago', () => {
  const mondayMs = Date.UTC(2026, 10, 23)
  const endMs = mondayMs + 7 * DAY_MS
  for (const ms of [mondayMs, endMs - 1]) {
    expect(isExpired(newEventId(ms), endMs - 1 + 98 * DAY_MS, DEFAULT_RETENTION)).toBe(false)
    expect(isExpired(newEventId(ms), endMs + 98 * DAY_MS, DEFAULT_RETENTION)).toBe(true)
  }
})

test('the retention of events and of the log decides, and a day more', () => {
  const mondayMs = Date.UTC(2026, 10, 23)
  const retention = { ...DEFAULT_RETENTION, eventsMs: 10 * DAY_MS, logMs: 2 * DAY_MS }
  const endMs = mondayMs + 7 * DAY_MS
  expect(isExpired(newEventId(mondayMs), endMs - 1 + 13 * DAY_MS, retention)).toBe(false)
  expect(isExpired(newEventId(mondayMs), endMs + 13 * DAY_MS, retention)).toBe(true)
})
