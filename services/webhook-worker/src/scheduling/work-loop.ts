import { setImmediate } from 'node:timers/promises'

/**
 * Work that runs when it is asked for, once at a time: what asks while it runs makes it run again. It begins in the next turn of
 * the event loop, as the parts of one statement ask one after the other.
 */
export class WorkLoop {
  readonly #work: (signal: AbortSignal) => Promise<void>
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #again = false

  /** `work` never rejects. */
  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work
  }

  run(): void {
    this.#again = true
    this.#running ??= this.#repeat()
  }

  /** Aborts the work's signal; resolves when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #repeat(): Promise<void> {
    while (this.#again && !this.#closing.signal.aborted) {
      await setImmediate()
      this.#again = false
      await this.#work(this.#closing.signal)
    }
    this.#running = undefined
  }
}
