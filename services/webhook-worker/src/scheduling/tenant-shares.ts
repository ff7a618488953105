import type { InFlight } from '@ariftly/store/deliveries'

/** The queue that an endpoint's jobs go through. */
export type DeliveryPriority = 'healthy' | 'unhealthy'

/** A tenant may have twice what remains free. */
const OF_FREE = 2

interface Load {
  total: number
  readonly byTenant: Map<string, number>
}

/**
 * Shares the workers' slots for attempts out among tenants, in each of the two queues: a tenant may have up to two thirds of
 * what the others leave. So one tenant alone has two thirds, two have two fifths each, n have 2 / (1 + 2 n) each, in any
 * order of asking. There is always a slot for a new one. What is queued therefore never waits long
 * behind the jobs of others. Counts are read from Postgres several times a second, and kept up in between by what this process
 * queues and ends.
 */
export class TenantShares {
  readonly #slots: Readonly<Record<DeliveryPriority, number>>
  readonly #loads: Record<DeliveryPriority, Load> = { healthy: noLoad(), unhealthy: noLoad() }
  /** Where the jobs of a webhook were put last; of tenants that have something in flight. */
  readonly #webhooks = new Map<string, { readonly tenant: string; readonly priority: DeliveryPriority }>()
  #workers = 1

  /** `slots`: attempts that one worker makes at the same time. */
  constructor(slots: Readonly<Record<DeliveryPriority, number>>) {
    this.#slots = slots
  }

  /** Takes over what was counted. */
  update({ workers, tenants }: InFlight): void {
    this.#workers = Math.max(1, workers)
    for (const priority of ['healthy', 'unhealthy'] as const) this.#loads[priority] = noLoad()
    const known = new Set(tenants.map(({ tenant }) => tenant))
    for (const [webhookId, { tenant }] of this.#webhooks) if (!known.has(tenant)) this.#webhooks.delete(webhookId)
    for (const { tenant, unhealthy, count } of tenants) this.#add(tenant, unhealthy ? 'unhealthy' : 'healthy', count)
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

  /** A delivery was queued. */
  queued(webhookId: string, tenant: string, priority: DeliveryPriority): void {
    this.#webhooks.set(webhookId, { tenant, priority })
    this.#add(tenant, priority, 1)
  }

  /** So many deliveries of a webhook have ended, or wait for their next attempt. */
  ended(webhookId: string, count: number): void {
    const webhook = this.#webhooks.get(webhookId)
    if (webhook !== undefined) this.#add(webhook.tenant, webhook.priority, -count)
  }

  #add(tenant: string, priority: DeliveryPriority, count: number): void {
    const load = this.#loads[priority]
    const before = load.byTenant.get(tenant) ?? 0
    const after = Math.max(0, before + count)
    load.byTenant.set(tenant, after)
    load.total += after - before
  }
}

function noLoad(): Load {
  return { total: 0, byTenant: new Map() }
}
