import type { Logger } from '@ariftly/fault'

/** Options of {@link FailureLog}. */
export interface FailureLogOptions {
  readonly log: Pick<Logger, 'warn'>
  /** Logged with the first of several failures in a row. */
  readonly failing: string
  /** Called at the first success after failures. */
  onRecovered?(): void
}

/** Logs the failure of a repeated operation once, until it succeeds. */
export class FailureLog {
  readonly #o: FailureLogOptions
  #isFailing = false

  constructor(o: FailureLogOptions) {
    this.#o = o
  }

  failed(error: unknown): void {
    if (!this.#isFailing) this.#o.log.warn({ err: error }, this.#o.failing)
    this.#isFailing = true
  }

  succeeded(): void {
    const wasFailing = this.#isFailing
    this.#isFailing = false
    if (wasFailing) this.#o.onRecovered?.()
  }
}
