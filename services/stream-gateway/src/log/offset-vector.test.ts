import { describe, expect, test } from '@jest/globals'
import { dominates, originOf, raise } from './offset-vector.ts'

describe('a position', () => {
  test('is at or above another one when it is so in every partition, and can be raised to the higher of both', () => {
    const [low, mixed, high] = [Float64Array.of(1, 1), Float64Array.of(2, 0), Float64Array.of(2, 2)]
    expect([dominates(high, low), dominates(high, mixed), dominates(low, low)]).toEqual([true, true, true])
    expect([dominates(low, mixed), dominates(mixed, low), dominates(originOf(2), low)]).toEqual([false, false, false])
    raise(low, mixed)
    expect([...low]).toEqual([2, 1])
  })
})
