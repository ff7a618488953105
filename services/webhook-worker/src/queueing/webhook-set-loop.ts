import { setImmediate } from 'node:timers/promises'
import { backoffMs, sleep } from '@ariftly/async'

/** Sets of webhooks for a {@link WebhookSetLoop}. */
export interface WebhookSetLoopOptions<S> {
  /** False: nothing is taken now. */
  readonly canServe: () => boolean
  /** The next set of webhooks, by turns of tenants; undefined when none waits. */
  readonly take: () => S | undefined
  /** Serves a set; never rejects. Returns how long to rest, ms; undefined when Postgres or Redis cannot be reached: the next set waits longer each time. */
  readonly serve: (set: S) => Promise<number | undefined>
}

/**
 * Serves sets of webhooks when it is asked to, one set at a time, until none waits: a call meanwhile makes it take sets again. It begins in
 * the next tick of the event loop, as the parts of one statement call it one after the other.
 */
export class WebhookSetLoop<S> {
  readonly #o: WebhookSetLoopOptions<S>
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #again = false

  constructor(o: WebhookSetLoopOptions<S>) {
    this.#o = o
  }

  run(): void {
    this.#again = true
    this.#running ??= this.#repeat()
  }

  /** Takes no more; resolves when the set that is being served has been. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #repeat(): Promise<void> {
    while (this.#again && !this.#closing.signal.aborted) {
      await setImmediate()
      this.#again = false
      await this.#serveAll()
    }
    this.#running = undefined
  }

  async #serveAll(): Promise<void> {
    const { canServe, take, serve } = this.#o
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted && canServe();) {
      const set = take()
      if (set === undefined) return
      const restMs = await serve(set)
      if (restMs !== undefined) failures = 0
      const pauseMs = restMs ?? backoffMs(failures++, { maxMs: 1000 })
      if (pauseMs > 0) await sleep(pauseMs, signal)
    }
  }
}
