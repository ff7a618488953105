/** What is under way, in the order in which it began. It is changed by its {@link Watermark} alone. */
export interface WatermarkEntry<P> {
  readonly position: P
  isSettled: boolean
}

/**
 * Finds how far everything is settled while things are settled in any order: the position of the last entry before which none is under way. It
 * holds the entries since then.
 */
export class Watermark<P> {
  #entries: WatermarkEntry<P>[] = []
  #first = 0
  #position: P | undefined

  /** Position of the last entry that is settled together with all before it; undefined when there is none. */
  get position(): P | undefined {
    return this.#position
  }

  /** Whether nothing is under way. */
  get isEmpty(): boolean {
    return this.#first === this.#entries.length
  }

  /** Positions of settled entries behind one that is under way, in their order, `max` at most. */
  settledBehind(max: number): readonly P[] {
    const found: P[] = []
    for (let at = this.#first + 1; at < this.#entries.length && found.length < max; at += 1) {
      const entry = this.#entries[at]
      if (entry?.isSettled === true) found.push(entry.position)
    }
    return found
  }

  /** The entry that is under way longest. */
  get oldest(): WatermarkEntry<P> | undefined {
    return this.#entries[this.#first]
  }

  add(position: P): WatermarkEntry<P> {
    const entry = { position, isSettled: false }
    this.#entries.push(entry)
    return entry
  }

  /** Whether `position` has changed by it. */
  settle(entry: WatermarkEntry<P>): boolean {
    entry.isSettled = true
    const before = this.#first
    for (let next = this.oldest; next?.isSettled === true; next = this.oldest) {
      this.#position = next.position
      this.#first += 1
    }
    // Half of the array at least is dropped each time, so that an entry costs the same in a long list.
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
      return true
    }
    return this.#first !== before
  }
}
