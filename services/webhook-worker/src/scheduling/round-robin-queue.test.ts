import { expect, test } from '@jest/globals'
import { RoundRobinQueue } from './round-robin-queue.ts'

test('tenants take turns, each in its own order', () => {
  const queue = new RoundRobinQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'a4']) queue.add('a', item)
  for (const item of ['b1', 'b2']) queue.add('b', item)
  expect(queue.size).toBe(6)
  expect(Array.from({ length: 7 }, () => queue.next())).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4', undefined])
  expect(queue.size).toBe(0)
})
