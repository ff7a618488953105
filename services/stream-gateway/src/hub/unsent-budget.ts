import { ByteBudget } from '@ariftly/fairness'
import type { Subscriber } from './subscriber.ts'

/**
 * The unsent bytes of all streams of the process, bounded. They are counted when something is written or taken, and each
 * stream is counted as if its bytes were not shared, so the sum is an upper bound of the memory.
 */
export class UnsentBudget {
  /** Streams that were closed for it. */
  closed = 0
  readonly #budget: ByteBudget

  constructor(bytesMax: number) {
    this.#budget = new ByteBudget({ bytesMax })
  }

  get bytes(): number {
    return this.#budget.bytes
  }

  /** Sets the unsent bytes of a stream. */
  note(subscriber: Subscriber, unsentBytes: number): void {
    subscriber.countUnsent(this.#budget, unsentBytes)
  }

  /**
   * When more is unsent than the process may hold, closes the streams with the most unsent bytes, of the tenant that holds
   * most, until there is room. Their unsent bytes are freed; the clients resume from the last id that they had.
   */
  enforce(): void {
    this.closed += this.#budget.enforce()
  }
}
