import { TenantTurns, TurnRefused } from '@ariftly/fairness'
import { Problem, type ApiCall } from '@ariftly/http'

/**
 * Runs work of a call when it is its tenant's turn. If `signal` aborts while the work waits, it is dropped: its client has
 * disconnected. Problems: 429 when too much work of the tenant waits; those of authentication when the key was revoked, or the
 * tenant suspended, before the turn (a slow body and the wait have no bound).
 */
export type TenantGate = <T>(
  call: Pick<ApiCall, 'caller' | 'authenticateAgain'>,
  work: () => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>

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

  return async function passGate(call, work, signal) {
    const allowedWork = async () => {
      await call.authenticateAgain()
      return await work()
    }
    try {
      return await turns.run(call.caller.tenant, allowedWork, signal)
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
