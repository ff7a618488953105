/** What {@link TenantTurns} needs. */
export interface TenantTurnsOptions {
  /** How much work runs at the same time, of all tenants. At least 1. */
  readonly placesMax: number
}

interface TenantQueue {
  running: number
  readonly waiting: (() => void)[]
}

/**
 * Runs work of many tenants, a bounded number at a time. Tenants take turns: each waits in a queue of its own, the queues
 * are served round robin, and no tenant has more than a third of the places, however much of its work waits.
 */
export class TenantTurns {
  readonly #placesMax: number
  readonly #shareMax: number
  /** In the order of their turns: a tenant that was served goes to the end. */
  readonly #queues = new Map<string, TenantQueue>()
  #running = 0

  constructor({ placesMax }: TenantTurnsOptions) {
    this.#placesMax = placesMax
    this.#shareMax = Math.max(1, Math.floor(placesMax / 3))
  }

  /** Work that waits or runs, of all tenants. */
  get size(): number {
    let size = 0
    for (const { running, waiting } of this.#queues.values()) size += running + waiting.length
    return size
  }

  /** Starts `work` when it is the tenant's turn, and settles as it does. Work of one tenant starts in the order of the calls. */
  async run<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    let queue = this.#queues.get(tenant)
    if (queue === undefined) this.#queues.set(tenant, (queue = { running: 0, waiting: [] }))
    const { waiting } = queue
    const started = new Promise<void>((resolve) => waiting.push(resolve))
    this.#startNext()
    await started
    try {
      return await work()
    } finally {
      queue.running -= 1
      this.#running -= 1
      if (queue.running === 0 && waiting.length === 0) this.#queues.delete(tenant)
      this.#startNext()
    }
  }

  #startNext(): void {
    for (const [tenant, queue] of this.#queues) {
      if (this.#running >= this.#placesMax) return
      const start = queue.running < this.#shareMax ? queue.waiting.shift() : undefined
      if (start === undefined) continue
      queue.running += 1
      this.#running += 1
      // Its next turn is after all others'; the loop comes to it again.
      this.#queues.delete(tenant)
      this.#queues.set(tenant, queue)
      start()
    }
  }
}
