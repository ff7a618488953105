import { expect, test } from '@jest/globals'
import { TenantPairs } from './tenant-pairs.ts'

test('counts what each tenant has had, until the window ends', () => {
  let nowMs = 1000
  const pairs = new TenantPairs(() => nowMs)
  pairs.add('one', 300)
  pairs.add('two', 1)
  nowMs += 199
  pairs.add('one', 400)
  expect([...pairs.spent]).toEqual([
    ['one', 700],
    ['two', 1],
  ])
  nowMs += 1
  expect([...pairs.spent]).toEqual([])
})

test('takes back what was not written, also when its window is over', () => {
  let nowMs = 1000
  const pairs = new TenantPairs(() => nowMs)
  pairs.add('one', 300)
  pairs.add('two', 300)
  pairs.add('one', -300)
  expect([...pairs.spent]).toEqual([['two', 300]])
  nowMs += 200
  pairs.add('two', -300)
  expect([...pairs.spent]).toEqual([])
})
