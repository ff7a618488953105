/** Length of a window, ms. */
const WINDOW_MS = 200

/**
 * Pairs of a webhook and a record that each tenant has had in the present window, over all partitions that this process matches:
 * a burst of one tenant is spread over all of them, and each pair costs the same Postgres.
 */
export class TenantPairs {
  readonly #now: () => number
  readonly #spent = new Map<string, number>()
  #endsAtMs = 0

  /** `now` is a monotonic clock, ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** By tenant. Valid until the caller next waits for anything. */
  get spent(): ReadonlyMap<string, number> {
    const nowMs = this.#now()
    if (nowMs >= this.#endsAtMs) {
      this.#spent.clear()
      this.#endsAtMs = nowMs + WINDOW_MS
    }
    return this.#spent
  }

  /** Counts pairs, or, where they are negative, takes back what was counted and not written. */
  add(tenant: string, pairs: number): void {
    const sum = (this.spent.get(tenant) ?? 0) + pairs
    if (sum > 0) this.#spent.set(tenant, sum)
    else this.#spent.delete(tenant)
  }
}
