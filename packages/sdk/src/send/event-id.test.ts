import { eventIdMs, typeIdToUuid } from '@ariftly/events'
import { describe, expect, test } from '@jest/globals'
import { EventIdMinter } from './event-id.ts'

const NOW_MS = Date.UTC(2026, 10, 25)

describe('EventIdMinter', () => {
  test('mints ids that the server reads as UUIDv7 with the given millisecond', () => {
    const minter = new EventIdMinter()
    for (const ms of [0, NOW_MS, 2 ** 48 - 1]) {
      const id = new EventIdMinter().mint(ms)
      expect(eventIdMs(id)).toBe(ms)
      expect(typeIdToUuid('evt', id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
    expect(eventIdMs(minter.mint(NOW_MS))).toBe(NOW_MS)
  })

  test('ids made by one client rise strictly, also where a digit overflows', () => {
    const minter = new EventIdMinter((numbers) => numbers.fill(0xff_ff_ff_ff))
    let last = ''
    for (let count = 0; count < 5000; count += 1) {
      const id = minter.mint(NOW_MS + Math.floor(count / 1000))
      expect(id > last).toBe(true)
      last = id
    }
  })

  test("has the given millisecond also when it is before the last id's", () => {
    const minter = new EventIdMinter()
    minter.mint(NOW_MS)
    for (const ms of [NOW_MS - 1, NOW_MS - 600_000]) expect(eventIdMs(minter.mint(ms))).toBe(ms)
  })

  test('two clients make no id in common', () => {
    const [one, other] = [new EventIdMinter(), new EventIdMinter()]
    const ids = Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? one : other).mint(NOW_MS))
    expect(new Set(ids).size).toBe(2000)
  })
})
