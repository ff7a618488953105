import { expect, test } from '@jest/globals'
import { eventIdMs } from '@ariftly/events'
import fc from 'fast-check'
import { createLineId, LINES_MAX } from './line-id.ts'

const line = fc.integer({ min: 1, max: LINES_MAX - 1 })
const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 })

test('is an event id of its millisecond, and rises with the number of the line', () => {
  fc.assert(
    fc.property(ms, line, line, fc.string(), (at, one, other, seed) => {
      const idOf = createLineId(seed)
      const [first, second] = [idOf(at, one), idOf(at, other)]
      expect(eventIdMs(first)).toBe(at)
      expect(Math.sign(one - other)).toBe(first === second ? 0 : first < second ? -1 : 1)
    }),
  )
})

test('is the same for the same line of the same state, and another one for another state', () => {
  expect(createLineId('a')(1, 1)).toBe(createLineId('a')(1, 1))
  expect(createLineId('a')(1, 1)).not.toBe(createLineId('b')(1, 1))
})
