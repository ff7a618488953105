/** A request that took longer was late. */
const LATE_MS = 500
/** How long a partition of a late request has requests of its own. */
const APART_MS = 10_000

/**
 * Partitions that have requests of their own. A leader answers for all partitions of a request at once, when the slowest has its
 * replicas, and does not say which one that was. Also a partition that is slow at times stays apart: it would delay the others
 * each time.
 */
export class LatePartitions {
  /** By `performance.now`. */
  readonly #untilMs = new Map<number, number>()

  /** Whether the next request of a partition is to be for it alone. */
  has(partition: number): boolean {
    return this.#untilMs.has(partition)
  }

  /** A request of a partition was answered after `tookMs`. */
  note(partition: number, tookMs: number): void {
    const nowMs = performance.now()
    if (tookMs > LATE_MS) this.#untilMs.set(partition, nowMs + APART_MS)
    else if (nowMs > (this.#untilMs.get(partition) ?? Infinity)) this.#untilMs.delete(partition)
  }
}
