/** Remembers the last ids, over all connections of a stream. */
export class SeenIds {
  readonly #ids = new Set<string>()
  /** Kept while ids are dropped: a new iterator would pass the empty slots of all dropped ids, for each id. */
  readonly #oldest = this.#ids.values()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** Whether the id is new; it is remembered then, and the oldest one is dropped. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > this.#max) {
      const { value } = this.#oldest.next()
      if (value !== undefined) this.#ids.delete(value)
    }
    return true
  }
}
