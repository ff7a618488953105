import { describe, expect, test } from '@jest/globals'
import { TokenBuckets } from './token-buckets.ts'

const RATE = { perS: 10, burst: 20 }

describe('TokenBuckets', () => {
  test('let in a burst and then the rate, each id for itself', () => {
    let nowMs = 0
    const buckets = new TokenBuckets({ now: () => nowMs })
    const taken = (id: string): boolean => {
      const bucket = buckets.of(id, RATE)
      if (bucket.waitS(1) > 0) return false
      bucket.take(1)
      return true
    }
    expect(Array.from({ length: 30 }, () => taken('loud')).filter(Boolean)).toHaveLength(20)
    expect(buckets.of('loud', RATE).waitS(1)).toBeCloseTo(0.1)
    expect(taken('calm')).toBe(true)
    nowMs = 500
    expect(Array.from({ length: 30 }, () => taken('loud')).filter(Boolean)).toHaveLength(5)
  })

  test('let an amount larger than the bucket pass when it is full, and then wait until the difference has been refilled', () => {
    let nowMs = 0
    const buckets = new TokenBuckets({ now: () => nowMs })
    const bucket = buckets.of('a', RATE)
    expect(bucket.waitS(1000)).toBe(0)
    bucket.take(1000)
    expect(bucket.left).toBe(-980)
    expect(bucket.fullInS).toBe(100)
    nowMs = 99_000
    expect(buckets.of('a', RATE).waitS(1000)).toBeCloseTo(1)
    expect(buckets.of('a', RATE).waitS(1000, 10)).toBe(0)
  })

  test('never hold more than the burst, after any returns or changes', () => {
    const buckets = new TokenBuckets({ now: () => 0 })
    const bucket = buckets.of('a', RATE)
    bucket.take(-100)
    expect(bucket.left).toBe(20)
    expect(buckets.of('a', { perS: 10, burst: 5 }).left).toBe(5)
    expect(buckets.of('a', RATE).left).toBe(5)
  })

  test('divide each bucket among the processes that share it at this moment', () => {
    let shares = 1
    const buckets = new TokenBuckets({ shares: () => shares, now: () => 0 })
    buckets.of('a', RATE)
    shares = 4
    expect(buckets.of('a', RATE).left).toBe(5)
    expect(buckets.of('a', RATE).burst).toBe(5)
  })

  test('drop full buckets when there are many, and none that owes', () => {
    let nowMs = 0
    const buckets = new TokenBuckets({ now: () => nowMs })
    buckets.of('debtor', RATE).take(1000)
    for (let n = 0; n < 999; n += 1) buckets.of(`id_${n}`, RATE).take(1)
    expect(buckets.size).toBe(1000)
    nowMs = 1000
    buckets.of('new', RATE)
    expect(buckets.size).toBe(2)
    expect(buckets.of('debtor', RATE).left).toBe(-970)
  })
})
