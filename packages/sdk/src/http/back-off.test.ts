import { expect, test } from '@jest/globals'
import { BACK_OFF, backOffMs } from './back-off.ts'
import { startTimer } from './timer.ts'

const half = { ...BACK_OFF, random: () => 0.5 }

test('waits are random up to a bound that doubles, on top of what the server asked for', () => {
  expect([1, 2, 3, 20].map((failures) => backOffMs(failures, 0, half))).toEqual([125, 250, 500, 15_000])
  expect(backOffMs(1, 2000, half)).toBe(2125)
})

test('what the server asked for has an upper limit', () => {
  expect(backOffMs(1, 9_999_999_000, half)).toBe(60_125)
})

test('a timer of more than 2^31 ms does not end immediately', async () => {
  let isOver = false
  const timers = [2 ** 31, 1e13, Infinity].map((ms) => startTimer(() => (isOver = true), ms))
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 50)
  })
  for (const timer of timers) clearTimeout(timer)
  expect(isOver).toBe(false)
})
