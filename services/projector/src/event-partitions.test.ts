import { expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { isExpired } from './event-partitions.ts'

const DAY_MS = 86_400_000

test('an id is expired when its whole week, from Monday, is more than 98 days ago', () => {
  const mondayMs = Date.UTC(2026, 10, 23)
  const endMs = mondayMs + 7 * DAY_MS
  for (const ms of [mondayMs, endMs - 1]) {
    expect(isExpired(newEventId(ms), endMs - 1 + 98 * DAY_MS)).toBe(false)
    expect(isExpired(newEventId(ms), endMs + 98 * DAY_MS)).toBe(true)
  }
})
