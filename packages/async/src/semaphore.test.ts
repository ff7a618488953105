import { expect, test } from '@jest/globals'
import { Semaphore } from './semaphore.ts'

test('gives out no more permits than it has, and the next one to who has waited longest', async () => {
  const semaphore = new Semaphore(2)
  let held = 0
  let most = 0
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 10 }, async (_, number) => {
      await semaphore.acquire()
      held += 1
      most = Math.max(most, held)
      order.push(number)
      await Promise.resolve()
      held -= 1
      semaphore.release()
    }),
  )
  expect(most).toBe(2)
  expect(order).toEqual(Array.from({ length: 10 }, (_, number) => number))
})
