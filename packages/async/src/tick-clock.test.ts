import { expect, test } from '@jest/globals'
import { setImmediate as immediate } from 'node:timers/promises'
import { createTickClock } from './tick-clock.ts'

test('counts from the first call of a tick, and again from the first of the next one', async () => {
  let nowMs = 100
  const isTickOver = createTickClock(2, () => nowMs)
  nowMs += 50
  expect(isTickOver()).toBe(false)
  nowMs += 2
  expect(isTickOver()).toBe(false)
  nowMs += 1
  expect(isTickOver()).toBe(true)
  await immediate()
  expect(isTickOver()).toBe(false)
})

test('lets one of the waiting callers work in each tick', async () => {
  let nowMs = 0
  let tick = 0
  const isTickOver = createTickClock(2, () => nowMs)
  const [, ...ticks] = await Promise.all([countTicks(), work(), work(), work()])
  expect(ticks).toEqual([0, 1, 2])

  async function work() {
    while (isTickOver()) await immediate()
    nowMs += 10
    return tick
  }

  async function countTicks() {
    for (; tick < 10; tick += 1) await immediate()
  }
})
