import type { DeliveryPriority, EndpointCapacity } from './capacity.ts'
import type { LockedEndpoint } from './lock-endpoints.ts'
import type { TenantShares } from './tenant-shares.ts'

/** An attempt that took longer makes its endpoint unhealthy. */
export const SLOW_MS = 2000

/**
 * What locked endpoints may have in flight: each its limit while it is open, one probe when that is due, nothing while it is shut.
 * Endpoints that can queue nothing are left out.
 */
export function planCapacity(
  endpoints: readonly LockedEndpoint[],
  o: {
    readonly perEndpointMax: number
    /** Deliveries of a tenant that one statement queues in each of the two queues. Default: what its share allows. */
    readonly perTenantNewMax?: number
    readonly shares: Pick<TenantShares, 'left'>
  },
): readonly EndpointCapacity[] {
  const { perTenantNewMax = Infinity } = o
  const ready = endpoints.filter((endpoint) => endpoint.gate !== 'shut' && endpoint.tokens !== 0)
  const left = { healthy: leftOf('healthy'), unhealthy: leftOf('unhealthy') }
  const capacities = ready.map((endpoint) => {
    const probe = endpoint.gate === 'probe_due'
    const priority = priorityOf(endpoint)
    return {
      webhookId: endpoint.webhookId,
      tenant: endpoint.tenant,
      inFlightMax: probe ? 1 : o.perEndpointMax,
      newMax: probe ? 1 : Math.max(0, Math.min(o.perEndpointMax, endpoint.tokens ?? o.perEndpointMax)),
      probe,
      unhealthy: priority === 'unhealthy',
      tenantShare: Math.min(perTenantNewMax, left[priority].get(endpoint.tenant) ?? 0),
    }
  })
  return capacities.filter(({ tenantShare }) => tenantShare > 0)

  function leftOf(priority: DeliveryPriority): ReadonlyMap<string, number> {
    const tenants = ready.filter((endpoint) => priorityOf(endpoint) === priority).map(({ tenant }) => tenant)
    return o.shares.left(tenants, priority)
  }
}

/** Endpoints whose last attempts failed or were slow have a queue of their own, so that they delay no other. */
export function priorityOf(endpoint: LockedEndpoint): DeliveryPriority {
  return endpoint.consecutiveFailures > 0 || (endpoint.lastAttemptMs ?? 0) > SLOW_MS ? 'unhealthy' : 'healthy'
}
