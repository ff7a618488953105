import { expect, test } from '@jest/globals'
import { SeenIds } from './seen-ids.ts'

test('remembers exactly the last ids, however many there were', () => {
  const max = 100
  const seen = new SeenIds(max)
  for (let n = 0; n < 50 * max; n += 1) {
    expect(seen.add(`id-${n}`)).toBe(true)
    if (n % 37 === 0) expect(seen.add(`id-${Math.max(0, n - max + 1)}`)).toBe(false)
  }
  const last = 50 * max - 1
  expect(seen.add(`id-${last - max + 1}`)).toBe(false)
  expect(seen.add(`id-${last - max}`)).toBe(true)
})
