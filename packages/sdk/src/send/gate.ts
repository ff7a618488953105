import { backOffMs, type BackOff } from '../http/back-off.ts'

/** Holds back all requests after one failed as a whole: the server is not there, or has enough. */
export class Gate {
  readonly #backOff: BackOff
  #failures = 0
  /** Nothing is posted before this time, Unix milliseconds. */
  untilMs = 0

  constructor(backOff: BackOff) {
    this.#backOff = backOff
  }

  succeeded(): void {
    this.#failures = 0
    this.untilMs = 0
  }

  /** Answers how long to wait, milliseconds. */
  failed(retryAfterMs: number): number {
    this.#failures += 1
    const waitMs = backOffMs(this.#failures, retryAfterMs, this.#backOff)
    this.untilMs = Math.max(this.untilMs, Date.now() + waitMs)
    return waitMs
  }
}
