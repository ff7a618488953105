/** Length of a window, ms. */
const WINDOW_MS = 100
const LATELY_MS = 1_000

/**
 * Pairs of a webhook and a record that each tenant has had in the present window, over all partitions that this process matches:
 * a burst of one tenant is spread over all of them, and each pair costs the same Postgres.
 */
export class TenantPairs {
  readonly #now: () => number
  readonly #spent = new Map<string, number>()
  /** When each tenant that has had any lately was last counted. */
  readonly #lastMs = new Map<string, number>()
  #endsAtMs = 0

  /** `now` is a monotonic clock, ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** By tenant. Valid until the caller next waits for anything. */
  get spent(): ReadonlyMap<string, number> {
    this.#begin()
    return this.#spent
  }

  /** Whether another tenant than this one has had any within about a second. */
  anyBut(tenant: string): boolean {
    this.#begin()
    return this.#lastMs.size > (this.#lastMs.has(tenant) ? 1 : 0)
  }

  /** Counts pairs, or, where they are negative, takes back what was counted and not written. */
  add(tenant: string, pairs: number): void {
    const sum = (this.spent.get(tenant) ?? 0) + pairs
    if (pairs > 0) this.#lastMs.set(tenant, this.#now())
    if (sum > 0) this.#spent.set(tenant, sum)
    else this.#spent.delete(tenant)
  }

  /** Begins a window if the last one has ended. */
  #begin(): void {
    const nowMs = this.#now()
    if (nowMs < this.#endsAtMs) return
    this.#endsAtMs = nowMs + WINDOW_MS
    this.#spent.clear()
    for (const [tenant, atMs] of this.#lastMs) if (nowMs >= atMs + LATELY_MS) this.#lastMs.delete(tenant)
  }
}
