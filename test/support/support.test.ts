import { describe, expect, test } from '@jest/globals'
import { eventIdMs, parseTypeId } from '@ariftly/events'
import { mintEventId } from './client-event-id.ts'
import { rawDataObjects } from './raw-data.ts'

describe('mintEventId', () => {
  test('mints ids that the product takes, with the millisecond inside', () => {
    const nowMs = Date.parse('2026-11-25T08:45:37.123Z')
    const id = mintEventId(nowMs)
    expect(parseTypeId('evt', id)).toHaveLength(16)
    expect(eventIdMs(id)).toBe(nowMs)
  })
})

describe('rawDataObjects', () => {
  test('finds every data object with its very bytes, braces in strings and nesting included', () => {
    const first = '{"a":1.0,"b":{"c":"}\\"{"}}'
    const second = '{}'
    expect(rawDataObjects(`{"data":[{"id":"x","data":${first}},{"data" : ${second},"n":2}]}`)).toEqual([first, second])
  })
})
