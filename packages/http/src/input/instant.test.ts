import { describe, expect, test } from '@jest/globals'
import { parseInstant } from './instant.ts'

const at = Date.UTC(2026, 10, 25, 8, 45, 37)

describe('parseInstant', () => {
  test.each([
    ['2026-11-25T08:45:37Z', at, at],
    ['2026-11-25T08:45:37', at, at],
    ['2026-11-25T10:45:37+02:00', at, at],
    ['2026-11-25T10:45:37 02:00', at, at],
    ['2026-11-25T10:45:37.5 0200', at + 500, at + 500],
    ['2026-11-25T03:15:37-0530', at, at],
    ['2026-11-25T08:45:37.123Z', at + 123, at + 123],
    ['2026-11-25T08:45:37.1230001Z', at + 123, at + 124],
    ['2026-11-25T08:45Z', at - 37_000, at - 37_000],
  ])('%s', (text, floorMs, ceilMs) => {
    expect(parseInstant(text)).toEqual({ floorMs, ceilMs })
  })

  test.each([
    '2026-11-25',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '1764060337',
    'now',
  ])('%s is no moment', (text) => expect(parseInstant(text)).toBeUndefined())
})
