import { describe, expect, test } from '@jest/globals'
import { createBatcher } from './batcher.ts'

describe('the batcher', () => {
  test('takes the items of one turn of the event loop together, and later ones as the next batch', async () => {
    const batches: (readonly number[])[] = []
    const opened: (() => void)[] = []
    const batcher = createBatcher<number, number>({
      max: 3,
      concurrency: 1,
      run: async (items) => {
        batches.push(items)
        await new Promise<void>((resolve) => opened.push(resolve))
        return items.map((item) => item * 10)
      },
    })
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)))
    await turn()
    expect(batches).toEqual([[1, 2, 3]])
    expect(batcher.size()).toBe(5)
    opened.shift()?.()
    await turn()
    await turn()
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
    opened.shift()?.()
    expect(await results).toEqual([10, 20, 30, 40, 50])
    expect(batcher.size()).toBe(0)
  })

  test('runs no more batches at the same time than it may', async () => {
    let running = 0
    let most = 0
    const batcher = createBatcher<number, number>({
      max: 1,
      concurrency: 2,
      run: async (items) => {
        running += 1
        most = Math.max(most, running)
        for (let turns = 0; turns < 5; turns += 1) await turn()
        running -= 1
        return items
      },
    })
    expect(await Promise.all([1, 2, 3, 4, 5, 6].map((item) => batcher.add(item)))).toEqual([1, 2, 3, 4, 5, 6])
    expect(most).toBe(2)
  })

  test('rejects the items of a failed batch, and continues', async () => {
    const batcher = createBatcher<number, number>({
      max: 1,
      concurrency: 1,
      run: async (items) => {
        if (items[0] === 1) throw new Error('no')
        return items
      },
    })
    const failed = batcher.add(1)
    const fine = batcher.add(2)
    await expect(failed).rejects.toThrow('no')
    expect(await fine).toBe(2)
  })
})

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
