import { expect, test } from '@jest/globals'
import { createLateTurns } from './late-turns.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('late turns let a few go on in each turn of the event loop, in the order in which they came', async () => {
  const lateTurn = createLateTurns()
  const wentOn: number[] = []
  for (let n = 0; n < 10; n += 1) void lateTurn().then(() => wentOn.push(n))
  const counts: number[] = []
  while (wentOn.length < 10) {
    await nextTurn()
    counts.push(wentOn.length)
  }
  expect(counts).toEqual([4, 8, 10])
  expect(wentOn).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await lateTurn()
})
