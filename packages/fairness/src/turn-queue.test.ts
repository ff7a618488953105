import { expect, test } from '@jest/globals'
import { TurnQueue } from './turn-queue.ts'

function takeAll(queue: TurnQueue<string>): string[] {
  const taken: string[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
  return taken
}

test('tenants take turns, and the items of one tenant keep their order', () => {
  const queue = new TurnQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(item.slice(0, 1), item)
  expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  expect(queue.isEmpty).toBe(true)
})

test('several items of a tenant may be taken in one turn, and use no further turn', () => {
  const queue = new TurnQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) queue.add(item.slice(0, 1), item)
  expect(queue.take()).toBe('a1')
  expect(queue.takeNextOf('a', (item) => item === 'a3')).toBeUndefined()
  expect(queue.takeNextOf('a', (item) => item === 'a2')).toBe('a2')
  expect(queue.take()).toBe('b1')
  expect(queue.takeNextOf('b', () => true)).toBe('b2')
  expect(queue.takeNextOf('b', () => true)).toBeUndefined()
  queue.add('b', 'b3')
  expect(takeAll(queue)).toEqual(['c1', 'a3', 'b3'])
  expect(queue.isEmpty).toBe(true)
})

test('a late item waits for at most one item of each other tenant', () => {
  const queue = new TurnQueue<string>()
  for (let n = 0; n < 1000; n += 1) queue.add('rude', `rude ${n}`)
  expect([queue.take(), queue.take()]).toEqual(['rude 0', 'rude 1'])
  queue.add('calm', 'calm')
  expect([queue.take(), queue.take()]).toEqual(['rude 2', 'calm'])
  expect(takeAll(queue)).toHaveLength(997)
})

test('many items are each taken once, while others are added', () => {
  const queue = new TurnQueue<string>()
  const added: string[] = []
  const taken: string[] = []
  for (let n = 0; n < 5000; n += 1) {
    for (const tenant of [`t${n % 7}`, `t${n % 3}`]) {
      const item = `${tenant} ${added.length}`
      added.push(item)
      queue.add(tenant, item)
    }
    taken.push(queue.take() ?? '')
  }
  taken.push(...takeAll(queue))
  expect(taken.toSorted()).toEqual(added.toSorted())
  for (const tenant of ['t0', 't6']) {
    const of = (items: readonly string[]) => items.filter((item) => item.startsWith(tenant))
    expect(of(taken)).toEqual(of(added))
  }
})
