import type { EndpointRoom, LockedEndpoint } from '@ariftly/store/deliveries'

/** The queue that an endpoint's jobs go to. */
export type Lane = 'fast' | 'suspect'

/** An attempt that took longer makes its endpoint suspect. */
const SLOW_MS = 2000

/** Room of each locked endpoint: k in flight while it is open, one probe when that is due, none while it is shut. */
export function planRooms(
  endpoints: readonly LockedEndpoint[],
  o: { readonly perEndpointMax: number },
): readonly EndpointRoom[] {
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
        ordered: endpoint.ordering === 'task',
      }
    })
}

/** Endpoints whose last attempts failed or were slow have a queue of their own, so that they hold up nobody. */
export function laneOf(endpoint: LockedEndpoint): Lane {
  return endpoint.consecutiveFailures > 0 || (endpoint.lastAttemptMs ?? 0) > SLOW_MS ? 'suspect' : 'fast'
}
