/** Wait for the next event after which there is none. */
const IDLE_MS = 100

/** Watches the loop that reads the stream, to know whether it keeps up. Times are monotonic milliseconds. */
export class ReadProgress {
  #readAt: string | undefined
  #askingSinceMs: number | undefined
  #wasBlocked = false

  /** ISO 8601: `created_at` of the event that was read last. */
  get readAt(): string | undefined {
    return this.#readAt
  }

  /** An event was read; `isBlocked` when there is no room for it. */
  read(createdAt: string, isBlocked: boolean): void {
    this.#readAt = createdAt
    this.#askingSinceMs = undefined
    this.#wasBlocked ||= isBlocked
  }

  /** The loop asks for the next one. */
  ask(nowMs: number): void {
    this.#askingSinceMs = nowMs
  }

  /** Whether it waits for an event: nothing that was sent before is unread. */
  isIdle(nowMs: number): boolean {
    return this.#askingSinceMs !== undefined && nowMs - this.#askingSinceMs >= IDLE_MS
  }

  /** Whether reading was blocked by a full forwarder, and events that arrived meanwhile may not be read yet. */
  isBehind(nowMs: number): boolean {
    if (this.isIdle(nowMs)) this.#wasBlocked = false
    return this.#wasBlocked
  }
}
