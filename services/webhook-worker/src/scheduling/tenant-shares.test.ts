import { expect, test } from '@jest/globals'
import { TenantShares } from './tenant-shares.ts'

const NONE = { workers: 1, tenants: [] }

const leftOf = (shares: TenantShares, tenant: string, priority: 'healthy' | 'unhealthy' = 'healthy') =>
  shares.left([tenant], priority).get(tenant) ?? 0

function fill(shares: TenantShares, tenant: string): number {
  let count = 0
  while (leftOf(shares, tenant) > 0) {
    shares.queued(`whk_${tenant}`, tenant, 'healthy')
    count += 1
  }
  return count
}

test('one tenant alone leaves a third of the slots free', () => {
  const shares = new TenantShares({ healthy: 300, unhealthy: 200 })
  expect(fill(shares, 'a')).toBe(200)
  expect(leftOf(shares, 'b')).toBeGreaterThan(50)
  expect(leftOf(shares, 'a', 'unhealthy')).toBe(133)
})

test('later tenants have a slot for any number of earlier ones, and shares become equal as slots are freed', () => {
  const shares = new TenantShares({ healthy: 400, unhealthy: 200 })
  for (const tenant of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) expect(fill(shares, tenant)).toBeGreaterThan(0)
  // Each in turn gives back what it has beyond its share, and takes what it may.
  for (let round = 0; round < 40; round += 1) {
    for (const tenant of ['a', 'b']) {
      shares.ended(`whk_${tenant}`, 20)
      fill(shares, tenant)
    }
  }
  const more = ['a', 'b'].map((tenant) => {
    shares.update({ workers: 1, tenants: ['a', 'b'].map((one) => ({ tenant: one, unhealthy: false, count: 160 })) })
    return leftOf(shares, tenant)
  })
  expect(more).toEqual([0, 0])
})

test('slots are those of all workers, and even without any left a new tenant has one', () => {
  const shares = new TenantShares({ healthy: 30, unhealthy: 30 })
  shares.update({ ...NONE, workers: 3 })
  expect(leftOf(shares, 'a')).toBe(60)
  shares.update({ workers: 1, tenants: [{ tenant: 'a', unhealthy: false, count: 500 }] })
  expect([leftOf(shares, 'a'), leftOf(shares, 'b')]).toEqual([0, 1])
})

test('what was queued before a count and ends after it gives its slots back at once', () => {
  const shares = new TenantShares({ healthy: 300, unhealthy: 200 })
  expect(fill(shares, 'a')).toBe(200)
  shares.update({ workers: 1, tenants: [{ tenant: 'a', unhealthy: false, count: 200 }] })
  expect(leftOf(shares, 'a')).toBe(0)
  shares.ended('whk_a', 150)
  expect(leftOf(shares, 'a')).toBe(150)
})

test('what has ended of a webhook that was queued elsewhere changes nothing', () => {
  const shares = new TenantShares({ healthy: 30, unhealthy: 30 })
  shares.ended('whk_x', 5)
  expect(leftOf(shares, 'a')).toBe(20)
})

test('tenants that ask at the same time get no more in all than there are slots, and tenants with their share get nothing', () => {
  const shares = new TenantShares({ healthy: 400, unhealthy: 200 })
  const asking = Array.from({ length: 10 }, (_, number) => `new-${number}`)
  expect(new Set(shares.left(asking, 'healthy').values())).toEqual(new Set([38]))
  shares.update({ workers: 1, tenants: [{ tenant: 'loud', unhealthy: false, count: 266 }] })
  const left = shares.left(['loud', ...asking], 'healthy')
  expect([left.get('loud'), left.get('new-0')]).toEqual([0, 12])
})
