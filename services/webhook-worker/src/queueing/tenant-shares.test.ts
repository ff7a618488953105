import { expect, test } from '@jest/globals'
import { deferred } from '@ariftly/async'
import type { EndpointCapacity } from './capacity.ts'
import type { QueuedDelivery } from './queue-due-deliveries.ts'
import { TenantShares } from './tenant-shares.ts'

const NONE = { workers: 1, tenants: [] }

const leftOf = (shares: TenantShares, tenant: string, priority: 'healthy' | 'unhealthy' = 'healthy') =>
  shares.left([tenant], priority).get(tenant) ?? 0

/** What a transaction for one endpoint of the tenant may queue at most. */
function capacityOf(tenant: string, tenantShare: number): EndpointCapacity {
  const limits = { inFlightMax: 1_000, newMax: 1_000, tenantShare }
  return { webhookId: `whk_${tenant}`, tenant, ...limits, probe: false, unhealthy: false }
}

function queuedBy(tenant: string, count: number): { readonly queued: readonly QueuedDelivery[] } {
  const one = { deliveryId: 'dlv_1', webhookId: `whk_${tenant}`, attempt: 1 }
  return { queued: Array.from({ length: count }, () => one) }
}

/** Queues one at a time until the tenant has its share. */
async function fill(shares: TenantShares, tenant: string): Promise<number> {
  let count = 0
  while (leftOf(shares, tenant) > 0) {
    await shares.whileQueueing([capacityOf(tenant, 1)], async () => queuedBy(tenant, 1))
    count += 1
  }
  return count
}

test('one tenant alone leaves a third of the slots free', async () => {
  const shares = new TenantShares({ healthy: 300, unhealthy: 200 })
  expect(await fill(shares, 'a')).toBe(200)
  expect(leftOf(shares, 'b')).toBeGreaterThan(50)
  expect(leftOf(shares, 'a', 'unhealthy')).toBe(133)
})

test('later tenants have a slot for any number of earlier ones, and shares become equal as slots are freed', async () => {
  const shares = new TenantShares({ healthy: 400, unhealthy: 200 })
  for (const tenant of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) expect(await fill(shares, tenant)).toBeGreaterThan(0)
  // Each in turn gives back what it has beyond its share, and takes what it may.
  for (let round = 0; round < 40; round += 1) {
    for (const tenant of ['a', 'b']) {
      shares.ended(`whk_${tenant}`, 20)
      await fill(shares, tenant)
    }
  }
  const counted = ['a', 'b'].map((one) => ({ tenant: one, unhealthy: false, count: 160 }))
  await shares.recount(async () => ({ workers: 1, tenants: counted }))
  expect(['a', 'b'].map((tenant) => leftOf(shares, tenant))).toEqual([0, 0])
})

test('slots are those of all workers, and even without any left a new tenant has one', async () => {
  const shares = new TenantShares({ healthy: 30, unhealthy: 30 })
  await shares.recount(async () => ({ ...NONE, workers: 3 }))
  expect(leftOf(shares, 'a')).toBe(60)
  await shares.recount(async () => ({ workers: 1, tenants: [{ tenant: 'a', unhealthy: false, count: 500 }] }))
  expect([leftOf(shares, 'a'), leftOf(shares, 'b')]).toEqual([0, 1])
})

test('what was queued before a count and ends after it gives its slots back at once', async () => {
  const shares = new TenantShares({ healthy: 300, unhealthy: 200 })
  expect(await fill(shares, 'a')).toBe(200)
  await shares.recount(async () => ({ workers: 1, tenants: [{ tenant: 'a', unhealthy: false, count: 200 }] }))
  expect(leftOf(shares, 'a')).toBe(0)
  shares.ended('whk_a', 150)
  expect(leftOf(shares, 'a')).toBe(150)
})

test('what has ended of a webhook that was queued elsewhere changes nothing', async () => {
  const shares = new TenantShares({ healthy: 30, unhealthy: 30 })
  shares.ended('whk_x', 5)
  expect(leftOf(shares, 'a')).toBe(20)
})

test('tenants that ask at the same time get no more in all than there are slots, and tenants with their share get nothing', async () => {
  const shares = new TenantShares({ healthy: 400, unhealthy: 200 })
  const asking = Array.from({ length: 10 }, (_, number) => `new-${number}`)
  expect(new Set(shares.left(asking, 'healthy').values())).toEqual(new Set([38]))
  await shares.recount(async () => ({ workers: 1, tenants: [{ tenant: 'loud', unhealthy: false, count: 266 }] }))
  const left = shares.left(['loud', ...asking], 'healthy')
  expect([left.get('loud'), left.get('new-0')]).toEqual([0, 12])
})

test('a transaction holds what it may queue until it has queued, also over a count, and gives back the rest', async () => {
  const shares = new TenantShares({ healthy: 20, unhealthy: 20 })
  const queueing = deferred<{ readonly queued: readonly QueuedDelivery[] }>()
  const done = shares.whileQueueing([capacityOf('a', leftOf(shares, 'a'))], () => queueing.promise)
  expect(leftOf(shares, 'b')).toBe(4)
  await shares.recount(async () => NONE)
  expect(leftOf(shares, 'b')).toBe(4)
  queueing.resolve(queuedBy('a', 2))
  await done
  expect(leftOf(shares, 'b')).toBe(12)
})

test('a transaction that fails holds nothing', async () => {
  const shares = new TenantShares({ healthy: 20, unhealthy: 20 })
  const failing = shares.whileQueueing([capacityOf('a', 13)], () => Promise.reject(new Error('gone')))
  await expect(failing).rejects.toThrow('gone')
  expect(leftOf(shares, 'a')).toBe(13)
})

test('a count that began before deliveries were queued does not hide them', async () => {
  const shares = new TenantShares({ healthy: 20, unhealthy: 20 })
  await shares.recount(async () => {
    await shares.whileQueueing([capacityOf('a', 13)], async () => queuedBy('a', 13))
    return NONE
  })
  expect(leftOf(shares, 'b')).toBe(4)
})
