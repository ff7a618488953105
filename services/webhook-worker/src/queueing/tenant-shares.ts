import type { DeliveryPriority, EndpointCapacity } from './capacity.ts'
import type { InFlight } from './count-in-flight.ts'
import type { QueuedDelivery } from './queue-due-deliveries.ts'

/** A tenant may have twice what remains free. */
const OF_FREE = 2

interface Change {
  readonly tenant: string
  readonly priority: DeliveryPriority
  readonly count: number
}

interface Load {
  total: number
  readonly byTenant: Map<string, number>
}

/**
 * Shares the workers' slots for attempts out among tenants, in each of the two queues: a tenant may have up to two thirds of
 * what the others leave. So one tenant alone has two thirds, two have two fifths each, n have 2 / (1 + 2 n) each, in any
 * order of asking. There is always a slot for a new one. What is queued therefore never waits long
 * behind the jobs of others. Counts are read from Postgres several times a second, and kept up in between by what this process
 * queues and ends. Transactions run in parallel: until one has queued its deliveries, its tenants hold all that they may queue.
 */
export class TenantShares {
  readonly #slots: Readonly<Record<DeliveryPriority, number>>
  readonly #loads: Record<DeliveryPriority, Load> = { healthy: noLoad(), unhealthy: noLoad() }
  /** Where the jobs of a webhook were put last; of tenants that have something in flight. */
  readonly #webhooks = new Map<string, { readonly tenant: string; readonly priority: DeliveryPriority }>()
  /** Reserved by transactions that have not queued their deliveries yet. */
  readonly #reserved = new Set<readonly Change[]>()
  /** Deliveries queued since the count that is under way began, which may not contain them; undefined while none is. */
  #queuedSinceCount: Change[] | undefined
  #workers = 1

  /** `slots`: attempts that one worker makes at the same time. */
  constructor(slots: Readonly<Record<DeliveryPriority, number>>) {
    this.#slots = slots
  }

  /** Replaces the counts by the result of `count`. */
  async recount(count: () => Promise<InFlight>): Promise<void> {
    const queued: Change[] = []
    this.#queuedSinceCount = queued
    const { workers, tenants } = await count().finally(() => (this.#queuedSinceCount = undefined))
    this.#workers = Math.max(1, workers)
    for (const priority of ['healthy', 'unhealthy'] as const) this.#loads[priority] = noLoad()
    for (const { tenant, unhealthy, count: inFlight } of tenants) {
      this.#add({ tenant, priority: unhealthy ? 'unhealthy' : 'healthy', count: inFlight })
    }
    for (const change of [...this.#reserved].flat().concat(queued)) this.#add(change)
    const known = new Set([...this.#loads.healthy.byTenant.keys(), ...this.#loads.unhealthy.byTenant.keys()])
    for (const [webhookId, { tenant }] of this.#webhooks) if (!known.has(tenant)) this.#webhooks.delete(webhookId)
  }

  /** How many more deliveries each of these tenants may queue now, all at once. One that has none may always have one. */
  left(tenants: Iterable<string>, priority: DeliveryPriority): ReadonlyMap<string, number> {
    const { total, byTenant } = this.#loads[priority]
    const left = new Map<string, number>()
    let asking = new Map(Array.from(tenants, (tenant) => [tenant, byTenant.get(tenant) ?? 0]))
    while (asking.size > 0) {
      const own = [...asking.values()].reduce((sum, count) => sum + count, 0)
      const free = this.#slots[priority] * this.#workers - (total - own)
      const limit = Math.max(1, Math.floor((free * OF_FREE) / (1 + OF_FREE * asking.size)))
      for (const [tenant, count] of asking) left.set(tenant, Math.max(0, limit - count))
      // Tenants that have their share already leave less for the others than one that asks would.
      const below = new Map([...asking].filter(([, count]) => count < limit))
      if (below.size === asking.size) break
      asking = below
    }
    return left
  }

  /** Runs the statement that queues deliveries for these endpoints, and counts what it has queued. */
  async whileQueueing<T extends { readonly queued: readonly QueuedDelivery[] }>(
    endpoints: readonly EndpointCapacity[],
    queue: () => Promise<T>,
  ): Promise<T> {
    const reserved = reservedBy(endpoints)
    this.#reserved.add(reserved)
    for (const change of reserved) this.#add(change)
    let queued: readonly QueuedDelivery[] = []
    try {
      const found = await queue()
      queued = found.queued
      return found
    } finally {
      this.#reserved.delete(reserved)
      for (const { tenant, priority, count } of reserved) this.#add({ tenant, priority, count: -count })
      const byId = new Map(endpoints.map((endpoint) => [endpoint.webhookId, endpoint]))
      for (const { webhookId } of queued) {
        const endpoint = byId.get(webhookId)
        if (endpoint !== undefined) this.#queued(endpoint)
      }
    }
  }

  /** So many deliveries of a webhook have ended, or wait for their next attempt. */
  ended(webhookId: string, count: number): void {
    const webhook = this.#webhooks.get(webhookId)
    if (webhook !== undefined) this.#add({ ...webhook, count: -count })
  }

  #queued({ webhookId, tenant, unhealthy }: EndpointCapacity): void {
    const priority = unhealthy ? 'unhealthy' : 'healthy'
    this.#webhooks.set(webhookId, { tenant, priority })
    this.#queuedSinceCount?.push({ tenant, priority, count: 1 })
    this.#add({ tenant, priority, count: 1 })
  }

  #add({ tenant, priority, count }: Change): void {
    const load = this.#loads[priority]
    const before = load.byTenant.get(tenant) ?? 0
    const after = Math.max(0, before + count)
    load.byTenant.set(tenant, after)
    load.total += after - before
  }
}

/** All that the tenants of these endpoints may queue. */
function reservedBy(endpoints: readonly EndpointCapacity[]): readonly Change[] {
  const most = new Map<string, { readonly share: number; readonly endpoint: EndpointCapacity; newMax: number }>()
  for (const endpoint of endpoints) {
    const key = `${endpoint.unhealthy} ${endpoint.tenant}`
    const one = most.get(key) ?? { share: endpoint.tenantShare, endpoint, newMax: 0 }
    one.newMax += endpoint.newMax
    most.set(key, one)
  }
  return Array.from(most.values(), ({ share, endpoint: { tenant, unhealthy }, newMax }) => {
    return { tenant, priority: unhealthy ? 'unhealthy' : 'healthy', count: Math.min(share, newMax) }
  })
}

function noLoad(): Load {
  return { total: 0, byTenant: new Map() }
}
