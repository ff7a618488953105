import { TenantTurns, TurnRefused } from '@ariftly/fairness'
import { Problem } from '@ariftly/http'

/**
 * Runs work of a tenant when it is its turn. If `signal` aborts while the work waits, it is dropped: its client has
 * disconnected. Problems: 429 when too much work of the tenant waits.
 */
export type TenantGate = <T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>

/** How much passes a gate. */
export interface TenantGateOptions {
  /** How much work runs at the same time, of all tenants. */
  readonly concurrencyMax: number
  /** How much work of one tenant may wait; beyond that it is refused with 429. */
  readonly waitingMax: number
}

/** Keeps slow tenants from taking every place, as {@link TenantTurns} shares them out. */
export function createTenantGate({ concurrencyMax, waitingMax }: TenantGateOptions): TenantGate {
  const turns = new TenantTurns({ concurrencyMax, waitingPerTenantMax: waitingMax })

  return async function passGate(tenant, work, signal) {
    try {
      return await turns.run(tenant, work, signal)
    } catch (error) {
      throw error instanceof TurnRefused ? problemOf(error) : error
    }
  }
}

function problemOf({ reason }: TurnRefused): Problem {
  if (reason === 'aborted') {
    return new Problem(400, 'request_aborted', { detail: 'The client disconnected before its turn.' })
  }
  return new Problem(429, 'too_many_queries', {
    detail: 'Too many requests of this tenant are waiting.',
    headers: { 'Retry-After': '1' },
  })
}
