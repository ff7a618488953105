/** A number of permits that are taken and given back; who waits gets the next one in the order of asking. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []

  /** `permits`: an integer, at least 1. */
  constructor(permits: number) {
    this.#free = permits
  }

  /** Resolves when the caller has a permit. */
  async acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Gives one back: to the first that waits, or for later. */
  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
