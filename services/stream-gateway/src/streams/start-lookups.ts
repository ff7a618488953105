import { FailureLog, sleep } from '@ariftly/async'
import { TenantTurns } from '@ariftly/fairness'
import type { Logger } from '@ariftly/runtime'

interface StartLookupsOptions {
  readonly log: Pick<Logger, 'warn'>
  /** Pause after a failure, ms. */
  readonly pauseMs?: number
}

/** Concurrent look-ups: half of the connections; the rest is for history and duplicates. */
const CONCURRENCY_MAX = 4
const PAUSE_MS = 500

/**
 * Looks up the start positions of streams (`after`, `stream.reset`), a few at a time, tenants in turn. While Postgres is
 * unavailable those few keep their slots and retry, so thousands of waiting streams cause no more queries than a few.
 */
export class StartLookups {
  readonly #turns = new TenantTurns({ concurrencyMax: CONCURRENCY_MAX })
  readonly #failures: FailureLog
  readonly #pauseMs: number

  constructor({ log, pauseMs = PAUSE_MS }: StartLookupsOptions) {
    this.#failures = new FailureLog({ log, failing: 'start positions of streams cannot be read yet' })
    this.#pauseMs = pauseMs
  }

  /** Retries `ask` until it succeeds; undefined when the client disconnects first. */
  async find<T>(tenant: string, isOpen: () => boolean, ask: () => Promise<T>): Promise<T | undefined> {
    while (isOpen()) {
      const found = await this.#turns.run(tenant, async () => (isOpen() ? await this.#askOnce(ask) : undefined))
      if (found !== undefined) return found.answer
    }
    return undefined
  }

  async #askOnce<T>(ask: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    try {
      const answer = await ask()
      this.#failures.succeeded()
      return { answer }
    } catch (error) {
      this.#failures.failed(error)
      await sleep(this.#pauseMs)
      return undefined
    }
  }
}
