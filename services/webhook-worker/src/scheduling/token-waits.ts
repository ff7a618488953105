/** Rate-limited webhooks without a token: until they have one there is nothing to look at, whatever wakes them. */
export class TokenWaits {
  readonly #untilMs = new Map<string, number>()

  /** Takes over how long these webhooks wait for a token, ms. */
  add(waits: ReadonlyMap<string, number>): void {
    const nowMs = performance.now()
    for (const [id, waitMs] of waits) if (waitMs > 0) this.#untilMs.set(id, nowMs + waitMs)
  }

  has(id: string): boolean {
    return (this.#untilMs.get(id) ?? 0) > performance.now()
  }

  /** Forgets the waits that have ended. */
  prune(): void {
    for (const id of this.#untilMs.keys()) if (!this.has(id)) this.#untilMs.delete(id)
  }
}
