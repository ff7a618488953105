/** Differences up to this are not corrected: `Date` has whole seconds, and answers take time. */
const TOLERANCE_MS = 2000

/** The server's time, learned from the `Date` header of its answers. Until the first answer it is this machine's. */
export class ServerClock {
  readonly #now: () => number
  #offsetMs = 0

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Unix milliseconds. */
  nowMs(): number {
    return this.#now() + this.#offsetMs
  }

  /** Takes the `Date` header of an answer to a request that was sent and answered at these local times. */
  learn(date: string | null, sentMs: number, receivedMs: number): void {
    const serverMs = date === null ? Number.NaN : Date.parse(date) + 500
    if (Number.isNaN(serverMs)) return
    const offsetMs = Math.round(serverMs - (sentMs + receivedMs) / 2)
    // An answer that was long under way says little.
    if (receivedMs - sentMs > 10_000) return
    this.#offsetMs = Math.abs(offsetMs) <= TOLERANCE_MS ? 0 : offsetMs
  }
}
