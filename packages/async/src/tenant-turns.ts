/** What {@link TenantTurns} needs. */
export interface TenantTurnsOptions {
  /** How much work runs at the same time, of all tenants. At least 1. */
  readonly placesMax: number
  /** How much work of one tenant runs at the same time. Default: what the free places allow. */
  readonly placesPerTenantMax?: number
  /** How much work of one tenant may wait; more is refused. Default: no bound. */
  readonly waitingPerTenantMax?: number
}

/** Thrown for work that was not started: too much work of its tenant waits, or its signal was aborted while it waited. */
export class TurnRefused extends Error {
  readonly reason: 'full' | 'aborted'

  constructor(reason: TurnRefused['reason']) {
    super(reason === 'full' ? 'Too much work of this tenant waits.' : 'The work was given up before its turn came.')
    this.name = 'TurnRefused'
    this.reason = reason
  }
}

interface Lane {
  running: number
  /** What starts the work that waits, in the order in which it came. */
  readonly waiting: Set<() => void>
}

/**
 * Runs work of many tenants, a bounded number at a time. A tenant gets one more place only while it has fewer than are free
 * (dynamic threshold, Choudhury and Hahne 1998): one alone gets half of them, each further one half of the rest, and a tenant that
 * runs nothing finds a place. The tenant that runs least is next, and among equals the one that has waited the longest.
 */
export class TenantTurns {
  readonly #perTenantMax: number
  readonly #waitingMax: number
  /** In the order of their last turns. */
  readonly #lanes = new Map<string, Lane>()
  #free: number

  constructor(o: TenantTurnsOptions) {
    this.#free = o.placesMax
    this.#perTenantMax = o.placesPerTenantMax ?? o.placesMax
    this.#waitingMax = o.waitingPerTenantMax ?? Infinity
  }

  /** Work that waits or runs, of all tenants. */
  get size(): number {
    let size = 0
    for (const { running, waiting } of this.#lanes.values()) size += running + waiting.size
    return size
  }

  /**
   * Starts `work` when it is the tenant's turn, at once if there is a place, and settles as it does. Work of one tenant
   * starts in the order of the calls. Rejects with {@link TurnRefused} when it is not started.
   */
  async run<T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let lane = this.#lanes.get(tenant)
    if (lane === undefined) this.#lanes.set(tenant, (lane = { running: 0, waiting: new Set() }))
    if (this.#mayStart(lane)) this.#take(tenant, lane)
    else await this.#wait(tenant, lane, signal)
    try {
      return await work()
    } finally {
      lane.running -= 1
      this.#free += 1
      this.#startNext()
      this.#forgetIdle(tenant, lane)
    }
  }

  #mayStart({ running }: Lane): boolean {
    return running < this.#free && running < this.#perTenantMax
  }

  #take(tenant: string, lane: Lane): void {
    lane.running += 1
    this.#free -= 1
    this.#lanes.delete(tenant)
    this.#lanes.set(tenant, lane)
  }

  #startNext(): void {
    for (let next = this.#nextLane(); next !== undefined; next = this.#nextLane()) {
      const [tenant, lane] = next
      const [start] = lane.waiting
      if (start === undefined) return
      lane.waiting.delete(start)
      this.#take(tenant, lane)
      start()
    }
  }

  #nextLane(): readonly [string, Lane] | undefined {
    let next: readonly [string, Lane] | undefined
    for (const [tenant, lane] of this.#lanes) {
      if (lane.waiting.size === 0 || !this.#mayStart(lane)) continue
      if (lane.running === 0) return [tenant, lane]
      if (next === undefined || lane.running < next[1].running) next = [tenant, lane]
    }
    return next
  }

  #wait(tenant: string, lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    if (lane.waiting.size >= this.#waitingMax) throw new TurnRefused('full')
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        lane.waiting.delete(start)
        this.#forgetIdle(tenant, lane)
        reject(new TurnRefused('aborted'))
      }
      lane.waiting.add(start)
      signal?.addEventListener('abort', leave, { once: true })
      if (signal?.aborted === true) leave()
    })
  }

  #forgetIdle(tenant: string, lane: Lane): void {
    if (lane.running === 0 && lane.waiting.size === 0) this.#lanes.delete(tenant)
  }
}
