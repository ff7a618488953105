import { expect, test } from '@jest/globals'
import { createRandom } from './random.ts'

test('the same seed gives the same numbers, another seed others, all from 0 to below 1', () => {
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  const numbers = draw(2 ** 31 - 1)
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...numbers)).toBeLessThan(1)
  expect(new Set(numbers).size).toBeGreaterThan(990)
})

function draw(seed: number): readonly number[] {
  const random = createRandom(seed)
  return Array.from({ length: 1000 }, random)
}
