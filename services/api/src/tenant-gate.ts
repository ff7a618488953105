import { Problem } from '@ariftly/http'

/** Runs work of a tenant when it is its turn. */
export type TenantGate = <T>(tenant: string, work: () => Promise<T>) => Promise<T>

export interface TenantGateOptions {
  /** How much work of one tenant runs at the same time. */
  readonly runningMax: number
  /** How much more of it may wait; beyond that it is refused with 429. */
  readonly waitingMax: number
}

interface Lane {
  running: number
  readonly waiting: (() => void)[]
}

/**
 * Keeps one tenant's slow queries from taking every connection: each tenant runs `runningMax` at the same time, the rest
 * waits in line, and what does not fit into the line is a `Problem` 429.
 */
export function createTenantGate(o: TenantGateOptions): TenantGate {
  const lanes = new Map<string, Lane>()

  return async function passGate<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    const lane = lanes.get(tenant) ?? { running: 0, waiting: [] }
    lanes.set(tenant, lane)
    if (lane.running < o.runningMax) lane.running += 1
    else await waitInLine(lane, o.waitingMax)
    try {
      return await work()
    } finally {
      // The place goes on to the next in line; `running` stays as it is.
      const next = lane.waiting.shift()
      if (next !== undefined) next()
      else if (--lane.running === 0) lanes.delete(tenant)
    }
  }
}

function waitInLine(lane: Lane, waitingMax: number): Promise<void> {
  if (lane.waiting.length >= waitingMax) {
    throw new Problem(429, 'too_many_queries', {
      detail: 'Too many queries of this tenant are waiting.',
      headers: { 'Retry-After': '1' },
    })
  }
  return new Promise((resolve) => lane.waiting.push(resolve))
}
