import { expect, test } from '@jest/globals'
import { inSlices } from './in-slices.ts'

test('repeats a statement until it changes no row, and adds up the rows', async () => {
  const rows = [10, 10, 3, 0, 7]
  expect(await inSlices(async () => rows.shift() ?? 0)).toBe(23)
  expect(rows).toEqual([7])
})

test('does not repeat it after the signal is aborted', async () => {
  const closing = new AbortController()
  let slices = 0
  const slice = async (): Promise<number> => {
    slices += 1
    closing.abort()
    return 10
  }
  expect(await inSlices(slice, closing.signal)).toBe(10)
  expect(await inSlices(slice, closing.signal)).toBe(0)
  expect(slices).toBe(1)
})
