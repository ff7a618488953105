import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { STANDARD_FORMAT } from '@ariftly/webhook-sending'
import { decideNext, readRetryAfter } from './retry-plan.ts'

const DAY_MS = 86_400_000
const PLAN = STANDARD_FORMAT.retries

const decide = (
  attemptCount: number,
  more: { retryAfterMs?: number; random?: () => number; probe?: boolean; scheduleS?: readonly number[] } = {},
) =>
  decideNext(
    { type: 'failed', probe: more.probe ?? false, attemptCount, retryAfterMs: more.retryAfterMs },
    { plan: { ...PLAN, scheduleS: more.scheduleS ?? PLAN.scheduleS }, random: more.random ?? (() => 0.5) },
  )

describe('the retry schedule', () => {
  test('has 13 attempts in about four days, and the thirteenth is the last', () => {
    const steps = Array.from({ length: 13 }, (_, count) => decide(count))
    const states = steps.map(({ whileOpen }) => whileOpen.state)
    expect(states).toEqual([...Array.from({ length: 12 }, () => 'pending'), 'failed'])
    const totalS = PLAN.scheduleS.reduce((sum, waitS) => sum + waitS, 0)
    expect(totalS / 86_400).toBeCloseTo(3.95, 1)
    expect(steps[0]?.dueInMs).toBe(5000)
    expect(steps[12]?.dueInMs).toBe(DAY_MS)
  })

  test('jitters each wait by a fifth either way', () => {
    expect(decide(1, { random: () => 0 }).dueInMs).toBe(24_000)
    expect(decide(1, { random: () => 0.999999 }).dueInMs).toBe(36_000)
  })

  test('obeys Retry-After when it is longer, up to a day', () => {
    expect(decide(0, { retryAfterMs: 90_000 }).dueInMs).toBe(90_000)
    expect(decide(0, { retryAfterMs: 1000 }).dueInMs).toBe(5000)
    expect(decide(0, { retryAfterMs: 1e12 }).dueInMs).toBe(DAY_MS)
  })
})

describe('the next step', () => {
  const schedules = fc.array(fc.integer({ min: 0, max: 86_400 }), { maxLength: 20 })
  const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const waits = fc.option(fc.integer({ min: 0, max: 10 * DAY_MS }), { nil: undefined })

  test('of a success and of a deleted webhook is final, and that of a cut attempt is the same attempt at once', () => {
    for (const [type, state, counts] of [
      ['delivered', 'delivered', true],
      ['cancelled', 'cancelled', false],
      ['released', 'pending', false],
    ] as const) {
      const next = decideNext({ type }, { plan: PLAN, random: () => 0.5 })
      expect(next).toEqual({ whileOpen: { state, counts }, whileFailing: { state, counts }, dueInMs: 0 })
    }
  })

  test('of a failure is made after its wait, a fifth more or less, or after what the receiver asked for', () => {
    fc.assert(
      fc.property(schedules, fc.nat(25), chances, waits, (scheduleS, attemptCount, chance, retryAfterMs) => {
        const more = { scheduleS, random: () => chance, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
        const { dueInMs } = decide(attemptCount, more)
        const waitMs = 1000 * (scheduleS[attemptCount] ?? scheduleS.at(-1) ?? 0)
        const askedMs = Math.min(retryAfterMs ?? 0, DAY_MS)
        expect(dueInMs).toBeGreaterThanOrEqual(Math.max(Math.floor(0.8 * waitMs), askedMs))
        expect(dueInMs).toBeLessThanOrEqual(Math.max(Math.ceil(1.2 * waitMs), askedMs))
      }),
    )
  })

  test('fails a delivery after exactly the attempts of the schedule, with any probes and failing times in between', () => {
    const failures = fc.array(fc.record({ failing: fc.boolean(), probe: fc.boolean() }), { maxLength: 200 })
    fc.assert(
      fc.property(schedules, failures, (scheduleS, attempts) => {
        let attemptCount = 0
        for (const { failing, probe } of attempts) {
          const { whileOpen, whileFailing } = decide(attemptCount, { scheduleS, probe })
          const { state, counts } = failing ? whileFailing : whileOpen
          attemptCount += counts ? 1 : 0
          if (probe) expect(counts).toBe(false)
          else if (!failing) expect(counts).toBe(true)
          expect(attemptCount).toBeLessThanOrEqual(scheduleS.length + 1)
          expect(state).toBe(attemptCount === scheduleS.length + 1 ? 'failed' : 'pending')
          if (state === 'failed') return
        }
      }),
    )
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
