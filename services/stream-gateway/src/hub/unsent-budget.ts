import type { Subscriber } from './subscriber.ts'

/** After a close there is room for some time: not each further byte asks for the next one. */
const ROOM = 0.8

/**
 * The unsent bytes of all streams of the process, bounded. They are counted when something is written or taken, and each
 * stream is counted as if its bytes were not shared, so the sum is an upper bound of the memory.
 */
export class UnsentBudget {
  /** Streams that were closed for it. */
  closed = 0
  readonly #bytesMax: number
  readonly #holders = new Set<Subscriber>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Notes what is unsent of a stream. */
  note(subscriber: Subscriber, unsentBytes: number): void {
    this.#bytes += unsentBytes - subscriber.countedBytes
    subscriber.countedBytes = unsentBytes
    if (unsentBytes > 0) this.#holders.add(subscriber)
    else this.#holders.delete(subscriber)
  }

  /**
   * When more is unsent than the process may hold: cuts the largest holders of the tenant that holds most, until there is
   * room. What is unsent is freed at once; the clients resume by the last id that they had.
   */
  enforce(): void {
    if (this.#bytes <= this.#bytesMax) return
    for (const holder of this.#holders) this.note(holder, holder.sink.unsentBytes())
    while (this.#bytes > this.#bytesMax * ROOM) {
      const tenant = this.#largestTenant()
      const holders = [...this.#holders].filter(({ filter }) => filter.tenant === tenant)
      if (holders.length === 0) return
      holders.sort((a, b) => b.countedBytes - a.countedBytes)
      for (const holder of holders.slice(0, Math.ceil(holders.length / 4))) {
        if (this.#bytes <= this.#bytesMax * ROOM) return
        this.note(holder, 0)
        this.closed += 1
        holder.sink.destroy()
      }
    }
  }

  #largestTenant(): string | undefined {
    const sums = new Map<string, number>()
    for (const { filter, countedBytes } of this.#holders) {
      sums.set(filter.tenant, (sums.get(filter.tenant) ?? 0) + countedBytes)
    }
    let largest: string | undefined
    for (const [tenant, bytes] of sums) if (bytes > (sums.get(largest ?? '') ?? -1)) largest = tenant
    return largest
  }
}
