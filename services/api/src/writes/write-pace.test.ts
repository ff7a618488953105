import { describe, expect, test } from '@jest/globals'
import { createWritePace } from './write-pace.ts'

describe('createWritePace', () => {
  test('allows a burst, then limits the rate, and says how long to wait', () => {
    let nowMs = 0
    const take = createWritePace({ perS: 10, burst: 20, now: () => nowMs })
    for (let n = 0; n < 20; n += 1) expect(take('a')).toBeUndefined()
    expect(take('a')).toBeCloseTo(0.1)
    nowMs += 100
    expect(take('a')).toBeUndefined()
    expect(take('a')).toBeCloseTo(0.1)
  })

  test('gives each tenant a bucket of its own', () => {
    const take = createWritePace({ perS: 1, burst: 1, now: () => 0 })
    expect(take('a')).toBeUndefined()
    expect(take('a')).toBe(1)
    expect(take('b')).toBeUndefined()
  })

  test('allows no more than one burst, however long a tenant made no request', () => {
    let nowMs = 0
    const take = createWritePace({ perS: 10, burst: 2, now: () => nowMs })
    expect(take('a')).toBeUndefined()
    nowMs += 60_000
    expect([take('a'), take('a')]).toEqual([undefined, undefined])
    expect(take('a')).toBeCloseTo(0.1)
  })
})
