import type { InFlight } from '@ariftly/store/deliveries'
import type { DeliveryPriority } from './plan-capacity.ts'

/** A tenant may have twice what it leaves free for others. */
const OF_FREE = 2

interface Load {
  total: number
  readonly byTenant: Map<string, number>
}

/**
 * Shares the workers' places for attempts out among tenants, in each of the two queues: a tenant may have up to two thirds of
 * what the others leave. So one tenant alone has two thirds, two have two fifths each, n have 2 / (1 + 2 n) each, and there
 * is always room for one that comes. What is queued therefore never waits long behind the jobs of others. Counts are read
 * from Postgres several times a second, and kept up in between by what this process queues and ends.
 */
export class TenantShares {
  readonly #places: Readonly<Record<DeliveryPriority, number>>
  readonly #loads: Record<DeliveryPriority, Load> = { healthy: noLoad(), unhealthy: noLoad() }
  /** Where the jobs of a webhook were put last. */
  readonly #webhooks = new Map<string, { readonly tenant: string; readonly priority: DeliveryPriority }>()
  #workers = 1

  /** `places`: attempts that one worker makes at the same time. */
  constructor(places: Readonly<Record<DeliveryPriority, number>>) {
    this.#places = places
  }

  /** Takes over what was counted. */
  update({ workers, tenants }: InFlight): void {
    this.#workers = Math.max(1, workers)
    for (const priority of ['healthy', 'unhealthy'] as const) this.#loads[priority] = noLoad()
    this.#webhooks.clear()
    for (const { tenant, unhealthy, count } of tenants) this.#add(tenant, unhealthy ? 'unhealthy' : 'healthy', count)
  }

  /** How many more deliveries of a tenant may be queued now. One that has none may always have one. */
  left(tenant: string, priority: DeliveryPriority): number {
    const { total, byTenant } = this.#loads[priority]
    const own = byTenant.get(tenant) ?? 0
    const forTenant = this.#places[priority] * this.#workers - (total - own)
    const limit = Math.max(1, Math.floor((forTenant * OF_FREE) / (1 + OF_FREE)))
    return Math.max(0, limit - own)
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
