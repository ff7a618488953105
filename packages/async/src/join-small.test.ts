import { expect, test } from '@jest/globals'
import { deferred } from './deferred.ts'
import { joinSmall } from './join-small.ts'

test('small items share a write, and large ones have their own', async () => {
  const writes: (readonly number[])[] = []
  const write = joinSmall<number, number>({
    isSmall: (item) => item < 10,
    togetherMax: 3,
    concurrency: { together: 1, alone: 1 },
    async write(items) {
      writes.push(items)
      await Promise.resolve()
      return items.map((item) => item * 2)
    },
  })
  expect(await Promise.all([1, 2, 10, 3, 4, 11].map(write))).toEqual([2, 4, 20, 6, 8, 22])
  expect(writes.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([[1, 2, 3], [4], [10], [11]])
})

test('of items whose common write fails each is written alone, and only those at fault fail', async () => {
  for (const way of ['rejects', 'gives no results'] as const) {
    const write = joinSmall<number, string>({
      isSmall: () => true,
      togetherMax: 10,
      concurrency: { together: 1, alone: 2 },
      async write(items) {
        await Promise.resolve()
        if (items.length === 1 && items[0] === 2) throw new Error('refused')
        if (items.length > 1 && way === 'gives no results') return undefined
        if (items.length > 1) throw new Error('refused')
        return items.map(String)
      },
    })
    const results = await Promise.allSettled([1, 2, 3].map(write))
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(['1', 'failed', '3'])
  }
})

test('a large item does not wait for small ones, nor small ones for it', async () => {
  const ends = new Map<number, () => void>()
  const write = joinSmall<number, number>({
    isSmall: (item) => item < 10,
    togetherMax: 2,
    concurrency: { together: 1, alone: 1 },
    async write(items) {
      const end = deferred()
      ends.set(items[0] ?? 0, end.resolve)
      await end.promise
      return items
    },
  })
  const [small, large] = [write(1), write(10)]
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  ends.get(10)?.()
  expect(await large).toBe(10)
  ends.get(1)?.()
  expect(await small).toBe(1)
})
