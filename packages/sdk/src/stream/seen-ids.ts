/** Remembers the last ids, over all connections of a stream. */
export class SeenIds {
  readonly #ids = new Set<string>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** Whether the id is new; it is remembered then, and the oldest one is dropped. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > this.#max) {
      const [oldest] = this.#ids
      if (oldest !== undefined) this.#ids.delete(oldest)
    }
    return true
  }
}
