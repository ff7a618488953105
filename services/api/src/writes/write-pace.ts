import { isAdministrativeWrite, Problem, routeOf, type ApiHandler, type Route, type RouteName } from '@ariftly/http'

/** How fast a tenant may make administrative writes. */
export interface WritePaceOptions {
  readonly perS: number
  /** Writes that may come at once. */
  readonly burst: number
  /** Milliseconds of a clock that never goes back; default `performance.now`. */
  readonly now?: () => number
}

/** Takes one write of a tenant; gives the seconds to wait when it comes too early. */
export type TakeWrite = (tenant: string) => number | undefined

interface Bucket {
  left: number
  filledMs: number
}

const TENANTS_MAX = 10_000

/** A token bucket for each tenant, in this process. When there are too many tenants, those whose buckets are full are dropped. */
export function createWritePace({ perS, burst, now = () => performance.now() }: WritePaceOptions): TakeWrite {
  const buckets = new Map<string, Bucket>()

  function bucketOf(tenant: string): Bucket {
    const nowMs = now()
    const known = buckets.get(tenant)
    if (known !== undefined) {
      known.left = Math.min(burst, known.left + ((nowMs - known.filledMs) / 1000) * perS)
      known.filledMs = nowMs
      return known
    }
    if (buckets.size >= TENANTS_MAX) forgetFull(nowMs)
    const bucket = { left: burst, filledMs: nowMs }
    buckets.set(tenant, bucket)
    return bucket
  }

  function forgetFull(nowMs: number): void {
    const fullMs = (burst / perS) * 1000
    for (const [tenant, { filledMs }] of buckets) if (nowMs - filledMs >= fullMs) buckets.delete(tenant)
  }

  return function takeWrite(tenant) {
    const bucket = bucketOf(tenant)
    if (bucket.left < 1) return (1 - bucket.left) / perS
    bucket.left -= 1
    return undefined
  }
}

/**
 * Handlers by route name, of which the administrative writes (calls to webhooks, API keys and tenants other than GET, and redeliveries
 * with an `Idempotency-Key`, whose answers are kept) are paced by the tenant of the calling key; one that comes too early is 429 with
 * `Retry-After`.
 */
export function withWritePace<N extends RouteName>(
  take: TakeWrite,
  handlers: Readonly<Record<N, ApiHandler>>,
): Readonly<Record<N, ApiHandler>> {
  const paced = (Object.entries<ApiHandler>(handlers) as [N, ApiHandler][]).map(([name, handler]) => [
    name,
    paceOf(routeOf(name), take, handler),
  ])
  return Object.fromEntries(paced) as Record<N, ApiHandler>
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
