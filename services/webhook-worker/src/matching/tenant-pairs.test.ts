import { expect, test } from '@jest/globals'
import { TenantPairs } from './tenant-pairs.ts'

test('counts what each tenant has had, until the window ends', () => {
  let nowMs = 1000
  const pairs = new TenantPairs(() => nowMs)
  pairs.add('one', 300)
  pairs.add('two', 1)
  nowMs += 99
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
  nowMs += 100
  pairs.add('two', -300)
  expect([...pairs.spent]).toEqual([])
})

test('knows whether others have had any within about a second', () => {
  let nowMs = 1000
  const pairs = new TenantPairs(() => nowMs)
  const others = () => [pairs.anyBut('one'), pairs.anyBut('two')]
  expect(others()).toEqual([false, false])
  pairs.add('one', 1)
  expect(others()).toEqual([false, true])
  nowMs += 999
  pairs.add('two', 1)
  expect(others()).toEqual([true, true])
  nowMs += 100
  expect(others()).toEqual([true, false])
  nowMs += 1000
  expect(others()).toEqual([false, false])
})
