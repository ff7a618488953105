import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'

describe('parseTimestamp', () => {
  test.each([
    ['2026-11-25T08:45:37.123Z', '2026-11-25T08:45:37.123Z', false],
    ['2026-11-25T08:45:37Z', '2026-11-25T08:45:37.000Z', false],
    ['2026-11-25T08:45:37', '2026-11-25T08:45:37.000Z', false],
    ['2026-11-25 08:45', '2026-11-25T08:45:00.000Z', false],
    ['2026-11-25T10:45:37+02:00', '2026-11-25T08:45:37.000Z', false],
    ['2026-11-25T10:45:37+0200', '2026-11-25T08:45:37.000Z', false],
    ['2026-11-25T03:15:37-05:30', '2026-11-25T08:45:37.000Z', false],
    ['2026-11-25T08:45:37.1239999999Z', '2026-11-25T08:45:37.123Z', true],
    ['2026-11-25T08:45:37.1230000Z', '2026-11-25T08:45:37.123Z', false],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z', false],
  ])('reads %s', (text, iso, finer) => {
    expect(parseTimestamp(text)).toEqual({ ms: Date.parse(iso), finer })
  })

  test.each([
    '',
    'yesterday',
    '2026-11-25',
    '1764060337',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-11-25T24:00:00Z',
    '2026-11-25T08:60:00Z',
    '2026-11-25T08:45:60Z',
    '2026-11-25T08:45:37+25:00',
    '2026-11-25T08:45:37.Z',
    ' 2026-11-25T08:45:37Z',
    '2026-11-25T08:45:37Z\n',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  test('reads back every millisecond that is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59.999Z') }), (ms) => {
        expect(parseTimestamp(formatTimestamp(ms))).toEqual({ ms, finer: false })
      }),
    )
  })
})
