/** Options of {@link TenantTurns}. */
export interface TenantTurnsOptions {
  /** How much work runs at the same time, of all tenants. At least 1. */
  readonly concurrencyMax: number
  /** How much work of one tenant runs at the same time. Default: what the free slots allow. */
  readonly perTenantMax?: number
  /** How much work of one tenant may wait; more is refused. Default: no bound. */
  readonly waitingPerTenantMax?: number
}

/** Thrown for work that was not started: too much work of its tenant waits, or its signal was aborted while it waited. */
export class TurnRefused extends Error {
  readonly reason: 'full' | 'aborted'

  constructor(reason: TurnRefused['reason']) {
    super(reason === 'full' ? 'Too much work of this tenant waits.' : 'The work was given up before its turn.')
    this.name = 'TurnRefused'
    this.reason = reason
  }
}

interface TenantWork {
  running: number
  /** Starts of the waiting work, in the order of the calls. */
  readonly waiting: Set<() => void>
}

/**
 * Runs work of many tenants, a bounded number at a time. A tenant gets another slot only while it has fewer than are free
 * (dynamic threshold, Choudhury and Hahne 1998): one alone gets half of them, each further tenant half of the rest, and a
 * tenant that runs nothing finds a slot. The tenant that runs least is next; among equals, the one that has waited longest.
 */
export class TenantTurns {
  readonly #perTenantMax: number
  readonly #waitingMax: number
  /** In the order of their latest turns. */
  readonly #tenants = new Map<string, TenantWork>()
  #free: number

  constructor(o: TenantTurnsOptions) {
    this.#free = o.concurrencyMax
    this.#perTenantMax = o.perTenantMax ?? o.concurrencyMax
    this.#waitingMax = o.waitingPerTenantMax ?? Infinity
  }

  /** Work that waits or runs, of all tenants. */
  get size(): number {
    let size = 0
    for (const { running, waiting } of this.#tenants.values()) size += running + waiting.size
    return size
  }

  /**
   * Starts `work` when it is the tenant's turn, immediately if there is a slot, and settles as it does. Work of one tenant
   * starts in the order of the calls. Rejects with {@link TurnRefused} when it is not started.
   */
  async run<T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let own = this.#tenants.get(tenant)
    if (own === undefined) this.#tenants.set(tenant, (own = { running: 0, waiting: new Set() }))
    if (this.#mayStart(own)) this.#take(tenant, own)
    else await this.#wait(tenant, own, signal)
    try {
      return await work()
    } finally {
      own.running -= 1
      this.#free += 1
      this.#startNext()
      this.#forgetIdle(tenant, own)
    }
  }

  #mayStart({ running }: TenantWork): boolean {
    return running < this.#free && running < this.#perTenantMax
  }

  #take(tenant: string, own: TenantWork): void {
    own.running += 1
    this.#free -= 1
    this.#tenants.delete(tenant)
    this.#tenants.set(tenant, own)
  }

  #startNext(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [tenant, own] = next
      const [start] = own.waiting
      if (start === undefined) return
      own.waiting.delete(start)
      this.#take(tenant, own)
      start()
    }
  }

  #next(): readonly [string, TenantWork] | undefined {
    let next: readonly [string, TenantWork] | undefined
    for (const [tenant, own] of this.#tenants) {
      if (own.waiting.size === 0 || !this.#mayStart(own)) continue
      if (own.running === 0) return [tenant, own]
      if (next === undefined || own.running < next[1].running) next = [tenant, own]
    }
    return next
  }

  #wait(tenant: string, own: TenantWork, signal: AbortSignal | undefined): Promise<void> {
    if (own.waiting.size >= this.#waitingMax) throw new TurnRefused('full')
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        own.waiting.delete(start)
        this.#forgetIdle(tenant, own)
        reject(new TurnRefused('aborted'))
      }
      own.waiting.add(start)
      signal?.addEventListener('abort', leave, { once: true })
      if (signal?.aborted === true) leave()
    })
  }

  #forgetIdle(tenant: string, own: TenantWork): void {
    if (own.running === 0 && own.waiting.size === 0) this.#tenants.delete(tenant)
  }
}
