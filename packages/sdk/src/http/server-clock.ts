/** Smaller changes are ignored: `Date` has whole seconds, and answers take time. So corrected times of later events do not fall. */
const TOLERANCE_MS = 2000

/** How far the server's clock is from this machine's, learned from the `Date` header of its answers; nothing until the first answer. */
export class ServerClock {
  #offsetMs = 0

  /** The server's time at a time of this machine, Unix milliseconds. */
  correct(ms: number): number {
    return Math.max(0, ms + this.#offsetMs)
  }

  /** Takes the `Date` header of an answer to a request that was sent and answered at these local times. */
  learn(date: string | null, sentMs: number, receivedMs: number): void {
    const serverMs = date === null ? Number.NaN : Date.parse(date) + 500
    if (Number.isNaN(serverMs)) return
    const offsetMs = Math.round(serverMs - (sentMs + receivedMs) / 2)
    // An answer that was long under way says little.
    if (receivedMs - sentMs > 10_000) return
    if (Math.abs(offsetMs - this.#offsetMs) > TOLERANCE_MS) this.#offsetMs = offsetMs
  }
}
