import { sleep } from '@ariftly/async'
import { FailureLog, TenantTurns } from '@ariftly/fairness'
import type { Logger } from '@ariftly/runtime'

/** What {@link Beginnings} needs. */
export interface BeginningsOptions {
  readonly log: Pick<Logger, 'warn'>
  /** Pause after a failure, ms. */
  readonly pauseMs?: number
}

/** Beginnings that are looked up at the same time: half of the connections, so that they leave room for history and duplicates. */
const CONCURRENCY_MAX = 4
const PAUSE_MS = 500

/**
 * Looks up where streams begin (`after`, `stream.reset`) in turns of tenants, a few at a time. While Postgres is away these few wait after each
 * failure with their places, so that thousands of streams make no more attempts than one.
 */
export class Beginnings {
  readonly #turns = new TenantTurns({ concurrencyMax: CONCURRENCY_MAX })
  readonly #failures: FailureLog
  readonly #pauseMs: number

  constructor({ log, pauseMs = PAUSE_MS }: BeginningsOptions) {
    this.#failures = new FailureLog({ log, failing: 'the beginnings of streams cannot be read yet' })
    this.#pauseMs = pauseMs
  }

  /** Asks until there is an answer or the client has gone; undefined then. */
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
