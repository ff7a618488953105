import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { watchLoopDelay } from './loop-delay.ts'

const NONE = { mean: 0, p50: 0, p90: 0, p99: 0, max: 0 }
let samples: number
let share: number

beforeEach(() => {
  jest.useFakeTimers()
  samples = 0
  share = 0
})

afterEach(() => {
  jest.useRealTimers()
})

function takeShare(): number {
  samples += 1
  return share
}

test('the delay is sampled once a second in an idle process, and ten times in a working one', () => {
  watchLoopDelay(takeShare)
  jest.advanceTimersByTime(10_000)
  expect(samples).toBe(1 + 10)
  share = 0.5
  jest.advanceTimersByTime(1000)
  samples = 0
  jest.advanceTimersByTime(10_000)
  expect(samples).toBe(100)
  share = 0
  jest.advanceTimersByTime(100)
  samples = 0
  jest.advanceTimersByTime(10_000)
  expect(samples).toBe(10)
})

test('the delays are since the last call, without the pause between two samples', () => {
  const takeDelays = watchLoopDelay(takeShare)
  expect(takeDelays()).toEqual(NONE)
  jest.advanceTimersByTime(5000)
  expect(takeDelays().max).toBeLessThan(0.001)
  expect(takeDelays()).toEqual(NONE)
})

test('a stall shows, without the part of it before the sample was due', async () => {
  jest.useRealTimers()
  const takeDelays = watchLoopDelay(() => 1)
  const untilMs = performance.now() + 300
  while (performance.now() < untilMs);
  await new Promise((resolve) => setTimeout(resolve))
  expect(takeDelays().max).toBeGreaterThan(0.19)
})
