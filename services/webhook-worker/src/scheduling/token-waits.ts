/** Between two looks at a webhook that waits for tokens: at 1,000 a second it has ten by then. */
const WAIT_MS_MIN = 10

/** Rate-limited webhooks without a token: until they have one there is nothing to look at, whatever wakes them. */
export class TokenWaits {
  readonly #timers = new Map<string, NodeJS.Timeout>()
  /** Called when a webhook has a token again. */
  readonly #onEnd: (webhookId: string) => void

  constructor(onEnd: (webhookId: string) => void) {
    this.#onEnd = onEnd
  }

  /** Takes over how long these webhooks wait for a token, ms. */
  add(waits: ReadonlyMap<string, number>): void {
    for (const [id, waitMs] of waits) {
      if (waitMs <= 0) continue
      clearTimeout(this.#timers.get(id))
      this.#timers.set(
        id,
        setTimeout(() => this.#end(id), Math.max(waitMs, WAIT_MS_MIN)),
      )
    }
  }

  has(id: string): boolean {
    return this.#timers.has(id)
  }

  /** Ends all waits without a call. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #end(id: string): void {
    this.#timers.delete(id)
    this.#onEnd(id)
  }
}
