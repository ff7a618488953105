import { expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTurnClock } from './turn-clock.ts'

test('counts from the first call in a turn of the event loop, and again from the first call in the next one', async () => {
  let nowMs = 100
  const isTurnOver = createTurnClock(2, () => nowMs)
  nowMs += 50
  expect(isTurnOver()).toBe(false)
  nowMs += 2
  expect(isTurnOver()).toBe(false)
  nowMs += 1
  expect(isTurnOver()).toBe(true)
  await nextTurn()
  expect(isTurnOver()).toBe(false)
})

test('lets one of the waiting callers work in each turn of the event loop', async () => {
  let nowMs = 0
  let turn = 0
  const isTurnOver = createTurnClock(2, () => nowMs)
  const [, ...turns] = await Promise.all([countTurns(), work(), work(), work()])
  expect(turns).toEqual([0, 1, 2])

  async function work() {
    while (isTurnOver()) await nextTurn()
    nowMs += 10
    return turn
  }

  async function countTurns() {
    for (; turn < 10; turn += 1) await nextTurn()
  }
})
