import { expect, test } from '@jest/globals'
import { createMemoryBudget } from './memory-budget.ts'

test('no more is held than the budget, by one tenant no more than half, and all comes back', () => {
  const budget = createMemoryBudget(1000)
  const [one, same, other] = [budget.open('acme'), budget.open('acme'), budget.open('other')]
  expect(one.take(400)).toBe(true)
  expect(same.take(101)).toBe(false)
  expect(same.take(100)).toBe(true)
  expect(other.take(500)).toBe(true)
  expect(budget.open('third').take(1)).toBe(false)
  expect(budget.usedBytes).toBe(1000)
  one.release()
  one.release()
  same.release()
  expect(budget.usedBytes).toBe(500)
  expect(same.take(500)).toBe(true)
  for (const lease of [same, other]) lease.release()
  expect(budget.usedBytes).toBe(0)
})
