import type { EndpointCapacity, LockedEndpoint } from '@ariftly/store/deliveries'
import type { TenantShares } from './tenant-shares.ts'

/** The queue that an endpoint's jobs go through. */
export type DeliveryPriority = 'healthy' | 'unhealthy'

/** An attempt that took longer makes its endpoint unhealthy. */
export const SLOW_MS = 2000

/** What a locked endpoint may have in flight: its limit while it is open, one probe when that is due, nothing while it is shut. */
export function planCapacity(
  endpoints: readonly LockedEndpoint[],
  o: { readonly perEndpointMax: number; readonly shares: Pick<TenantShares, 'left'> },
): readonly EndpointCapacity[] {
  return endpoints
    .filter((endpoint) => endpoint.gate !== 'shut' && endpoint.tokens !== 0)
    .map((endpoint) => {
      const probe = endpoint.gate === 'probe_due'
      return {
        webhookId: endpoint.webhookId,
        tenant: endpoint.tenant,
        inFlightMax: probe ? 1 : o.perEndpointMax,
        newMax: probe ? 1 : Math.max(0, Math.min(o.perEndpointMax, endpoint.tokens ?? o.perEndpointMax)),
        probe,
        unhealthy: priorityOf(endpoint) === 'unhealthy',
        tenantShare: o.shares.left(endpoint.tenant, priorityOf(endpoint)),
      }
    })
}

/** Endpoints whose last attempts failed or were slow have a queue of their own, so that they delay no other. */
export function priorityOf(endpoint: LockedEndpoint): DeliveryPriority {
  return endpoint.consecutiveFailures > 0 || (endpoint.lastAttemptMs ?? 0) > SLOW_MS ? 'unhealthy' : 'healthy'
}
