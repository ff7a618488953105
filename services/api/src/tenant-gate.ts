import { Problem } from '@ariftly/http'

/**
 * Runs work of a tenant when it is its turn. When `signal` aborts while the work waits, it is dropped: nobody reads its
 * answer any more.
 */
export type TenantGate = <T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>

export interface TenantGateOptions {
  /** How much work runs at the same time, of all tenants. */
  readonly placesMax: number
  /** How much work of one tenant may wait; beyond that it is refused with 429. */
  readonly waitingMax: number
}

interface Lane {
  running: number
  /** In the order in which it came. */
  readonly waiting: Set<() => void>
}

/**
 * Keeps slow tenants from taking every place: a tenant takes one more only while it has fewer than are free (dynamic
 * threshold, Choudhury and Hahne 1998). So one alone gets half of them, each further one half of the rest, and whoever
 * runs nothing finds a place. Whoever runs least is next.
 */
export function createTenantGate(o: TenantGateOptions): TenantGate {
  const lanes = new Map<string, Lane>()
  let free = o.placesMax

  return async function passGate<T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lane = lanes.get(tenant) ?? { running: 0, waiting: new Set() }
    lanes.set(tenant, lane)
    if (lane.running < free) take(lane)
    else await waitInLine(tenant, lane, signal)
    try {
      return await work()
    } finally {
      lane.running -= 1
      free += 1
      admit()
      forgetIdle(tenant, lane)
    }
  }

  function take(lane: Lane): void {
    lane.running += 1
    free -= 1
  }

  function admit(): void {
    for (let lane = nextLane(); lane !== undefined; lane = nextLane()) {
      const [next] = lane.waiting
      if (next === undefined) return
      lane.waiting.delete(next)
      take(lane)
      next()
    }
  }

  function nextLane(): Lane | undefined {
    let least: Lane | undefined
    for (const lane of lanes.values()) {
      if (lane.waiting.size > 0 && lane.running < free && lane.running < (least?.running ?? free)) least = lane
    }
    return least
  }

  function waitInLine(tenant: string, lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    if (lane.waiting.size >= o.waitingMax) throw tooMany()
    return new Promise((resolve, reject) => {
      function enter(): void {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      function leave(): void {
        lane.waiting.delete(enter)
        forgetIdle(tenant, lane)
        reject(gone())
      }
      lane.waiting.add(enter)
      signal?.addEventListener('abort', leave, { once: true })
      if (signal?.aborted === true) leave()
    })
  }

  function forgetIdle(tenant: string, lane: Lane): void {
    if (lane.running === 0 && lane.waiting.size === 0) lanes.delete(tenant)
  }
}

function tooMany(): Problem {
  return new Problem(429, 'too_many_queries', {
    detail: 'Too many requests of this tenant are waiting.',
    headers: { 'Retry-After': '1' },
  })
}

function gone(): Problem {
  return new Problem(400, 'request_aborted', { detail: 'The client has left before its turn came.' })
}
