import { TokenBuckets } from '@ariftly/fairness'
import { isAdministrativeWrite, Problem, routeOf, type ApiHandler, type Route, type RouteName } from '@ariftly/http'
import { mapHandlers } from '../map-handlers.ts'

/** How fast a tenant may make administrative writes. */
export interface WritePaceOptions {
  readonly perS: number
  /** Writes that may arrive together. */
  readonly burst: number
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number
}

/** Takes one write of a tenant; returns the seconds to wait when it is too early. */
export type TakeWrite = (tenant: string) => number | undefined

/** A token bucket for each tenant, in this process. */
export function createWritePace({ perS, burst, now = () => performance.now() }: WritePaceOptions): TakeWrite {
  const buckets = new TokenBuckets({ now })

  return function takeWrite(tenant) {
    const bucket = buckets.of(tenant, { perS, burst })
    const waitS = bucket.waitS(1)
    if (waitS > 0) return waitS
    bucket.take(1)
    return undefined
  }
}

/**
 * Limits the rate of administrative writes by the calling key's tenant: calls to webhooks, API keys and tenants other than GET,
 * and redeliveries with an `Idempotency-Key`, whose answers are stored. Above the rate: 429 with `Retry-After`.
 */
export function withWritePace<N extends RouteName>(
  take: TakeWrite,
  handlers: Readonly<Record<N, ApiHandler>>,
): Readonly<Record<N, ApiHandler>> {
  return mapHandlers(handlers, (handler, name) => paceOf(routeOf(name), take, handler))
}

function paceOf(route: Route, take: TakeWrite, handler: ApiHandler): ApiHandler {
  const always = isAdministrativeWrite(route)
  if (!always && route.idempotent !== true) return handler
  return async function pacedWrite(call, req, res) {
    const waitS = always || req.headers['idempotency-key'] !== undefined ? take(call.caller.tenant) : undefined
    if (waitS !== undefined) throw tooManyWrites(waitS)
    await handler(call, req, res)
  }
}

function tooManyWrites(waitS: number): Problem {
  return new Problem(429, 'too_many_writes', {
    detail: 'This tenant makes too many administrative writes.',
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitS))) },
  })
}
