import { describe, expect, test } from '@jest/globals'
import { planRetry, readRetryAfter, RETRY_SCHEDULE_S } from './retry-plan.ts'

const plan = (attemptCount: number, more: { retryAfterMs?: number; random?: () => number } = {}) =>
  planRetry({
    attemptCount,
    scheduleS: RETRY_SCHEDULE_S,
    retryAfterMs: more.retryAfterMs,
    random: more.random ?? (() => 0.5),
  })

describe('the retry schedule', () => {
  test('has 13 attempts in about four days, and the thirteenth is the last', () => {
    const plans = Array.from({ length: 13 }, (_, count) => plan(count))
    expect(plans.map(({ last }) => last)).toEqual([...Array.from({ length: 12 }, () => false), true])
    const totalS = RETRY_SCHEDULE_S.reduce((sum, waitS) => sum + waitS, 0)
    expect(totalS / 86_400).toBeCloseTo(3.95, 1)
    expect(plans[0]?.retryInMs).toBe(5000)
    expect(plans[12]?.retryInMs).toBe(86_400_000)
  })

  test('jitters each wait by a fifth either way', () => {
    expect(plan(1, { random: () => 0 }).retryInMs).toBe(24_000)
    expect(plan(1, { random: () => 0.999999 }).retryInMs).toBe(36_000)
  })

  test('obeys Retry-After when it is longer, up to a day', () => {
    expect(plan(0, { retryAfterMs: 90_000 }).retryInMs).toBe(90_000)
    expect(plan(0, { retryAfterMs: 1000 }).retryInMs).toBe(5000)
    expect(plan(0, { retryAfterMs: 1e12 }).retryInMs).toBe(86_400_000)
  })
})

describe('readRetryAfter', () => {
  const nowMs = Date.UTC(2026, 10, 25, 12, 0, 0)
  test.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Wed, 25 Nov 2026 12:01:00 GMT', 60_000],
    ['Wed, 25 Nov 2026 11:00:00 GMT', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %s ms', (value, expected) => {
    expect(readRetryAfter(value, nowMs)).toBe(expected)
  })
})
