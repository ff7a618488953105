import { expect, test } from '@jest/globals'
import { createDeferRefusal } from './defer-refusals.ts'

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('at most four refusals are sent in each tick of the event loop, in the order of the calls', async () => {
  const deferRefusal = createDeferRefusal()
  const gone: number[] = []
  for (let n = 0; n < 10; n += 1) void deferRefusal().then(() => gone.push(n))
  const counts: number[] = []
  for (let tick = 0; tick < 3; tick += 1) {
    await immediate()
    counts.push(gone.length)
  }
  expect(counts).toEqual([4, 8, 10])
  expect(gone).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await deferRefusal()
})
