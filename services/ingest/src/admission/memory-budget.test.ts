import { expect, test } from '@jest/globals'
import { MemoryBudget, REQUEST_BYTES, type MemoryLease } from './memory-budget.ts'

const KIB = 1024
const never = (): void => {
  throw new Error('It does not wait.')
}

function open(budget: MemoryBudget, tenant: string): MemoryLease {
  const lease = budget.open(tenant)
  if (lease === undefined) throw new Error('There is no room.')
  return lease
}

test('no more memory is used than the budget, by one tenant no more than half, and all of it is returned', () => {
  const budget = new MemoryBudget(100 * KIB)
  const [one, same, other] = [open(budget, 'acme'), open(budget, 'acme'), open(budget, 'other')]
  expect(budget.usedBytes).toBe(3 * REQUEST_BYTES)
  expect(one.take(32 * KIB)).toBe(true)
  expect(same.take(10 * KIB + 1)).toBe(false)
  expect(same.take(10 * KIB)).toBe(true)
  expect(other.take(46 * KIB)).toBe(true)
  expect(budget.open('third')).toBeUndefined()
  expect(budget.usedBytes).toBe(100 * KIB)
  one.release()
  one.release()
  for (const lease of [same, other]) lease.release()
  expect(budget.usedBytes).toBe(0)
})

test('each request counts with a fixed number of bytes, however few it sends', () => {
  const budget = new MemoryBudget(10 * REQUEST_BYTES)
  const leases = Array.from({ length: 5 }, () => open(budget, 'acme'))
  expect(budget.open('acme')).toBeUndefined()
  leases[0]?.release()
  expect(budget.open('acme')).toBeDefined()
})

test('incomplete bodies of a tenant wait when they have its share of the memory, and the oldest continues', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const [first, second] = [open(budget, 'acme'), open(budget, 'acme')]
  expect(first.arrived(250 * KIB, never)).toBe('go')
  // Half of the budget is for unfinished bodies, and a tenant alone has half of that.
  expect(first.arrived(10 * KIB, never)).toBe('go')
  const resumed: string[] = []
  expect(second.arrived(10 * KIB, () => resumed.push('second'))).toBe('wait')
  expect(first.arrived(10 * KIB, never)).toBe('go')
  expect(resumed).toEqual([])
  first.bodyEnded()
  expect(resumed).toEqual(['second'])
})

test('a tenant whose incomplete bodies wait does not stop the requests of another one', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const ofOne = Array.from({ length: 20 }, () => open(budget, 'acme'))
  const answers = ofOne.map((lease) => lease.arrived(20 * KIB, () => {}))
  expect(answers.filter((answer) => answer === 'wait').length).toBeGreaterThan(5)
  expect(open(budget, 'other').arrived(200 * KIB, never)).toBe('go')
})

test('when a body of a tenant that has no room ends, its other waiting bodies are not all asked', () => {
  const budget = new MemoryBudget(64 * 1024 * KIB)
  expect(open(budget, 'acme').arrived(17 * 1024 * KIB, never)).toBe('go')
  let asked = 0
  const waiting = Array.from({ length: 500 }, () => {
    const lease = open(budget, 'acme')
    expect(lease.arrived(2 * REQUEST_BYTES, never)).toBe('wait')
    // Whether a body may go on is a question of its tenant.
    return Object.defineProperty(lease, 'tenant', {
      get() {
        asked += 1
        return 'acme'
      },
    })
  })
  for (const lease of waiting) lease.release()
  expect(asked).toBeLessThan(10 * waiting.length)
})

test('bodies of a tenant that has room again go on, also when those of another one wait', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const resumed: string[] = []
  const wait = (tenant: string, name: string): MemoryLease => {
    const lease = open(budget, tenant)
    expect(lease.arrived(10 * KIB, () => resumed.push(name))).toBe('wait')
    return lease
  }
  open(budget, 'loud').arrived(260 * KIB, never)
  const large = open(budget, 'acme')
  large.arrived(260 * KIB, never)
  wait('loud', 'of another tenant')
  const ended = wait('acme', 'first')
  wait('acme', 'second')
  wait('acme', 'third')
  ended.bodyEnded()
  expect(resumed).toEqual([])
  large.bodyEnded()
  expect(resumed).toEqual(['second', 'third'])
})

test('a body within the fixed number of bytes never waits', () => {
  const budget = new MemoryBudget(1024 * KIB)
  open(budget, 'acme').arrived(260 * KIB, never)
  open(budget, 'acme').arrived(20 * KIB, () => {})
  expect(open(budget, 'acme').arrived(REQUEST_BYTES, never)).toBe('go')
})

test('waiting bodies use no more than a part of the budget in addition to their own, and further ones are refused', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const answers = ['one', 'two'].flatMap((tenant) =>
    Array.from({ length: 22 }, () => open(budget, tenant).arrived(20 * KIB, () => {})),
  )
  expect(new Set(answers)).toEqual(new Set(['go', 'wait', 'full']))
  expect(budget.usedBytes).toBeLessThan(0.75 * 1024 * KIB + 44 * REQUEST_BYTES)
  // Another tenant has its share all the same.
  const other = open(budget, 'other')
  expect(other.arrived(20 * KIB, never)).toBe('go')
  expect(other.arrived(20 * KIB, never)).toBe('go')
})

test('an unread answer counts with its own bytes and not with those of the body, up to a part of the budget', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const [one, same, other] = [open(budget, 'acme'), open(budget, 'acme'), open(budget, 'other')]
  one.arrived(200 * KIB, never)
  expect(one.answered(40 * KIB)).toBe(true)
  expect(budget.usedBytes).toBe(40 * KIB + 3 * REQUEST_BYTES)
  // A sixteenth of the budget is for the unread answers of a tenant.
  expect(same.answered(40 * KIB)).toBe(false)
  expect(other.answered(40 * KIB)).toBe(true)
  one.release()
  expect(same.answered(40 * KIB)).toBe(true)
  for (const lease of [same, other]) lease.release()
  expect(budget.usedBytes).toBe(0)
})

test('a lease that is released takes nothing more', () => {
  const budget = new MemoryBudget(1024 * KIB)
  const lease = open(budget, 'acme')
  lease.release()
  expect(lease.take(10)).toBe(false)
  expect(lease.arrived(10, never)).toBe('full')
  expect(lease.answered(10)).toBe(false)
  expect(budget.usedBytes).toBe(0)
  // Nor of what unread answers may hold.
  expect(open(budget, 'acme').answered(60 * KIB)).toBe(true)
})
