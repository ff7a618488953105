/** A queue of consecutive items; the front leaves in amortised constant time. */
export class Deque<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index]
  }

  shift(): T | undefined {
    const item = this.at(0)
    if (item === undefined) return undefined
    // The slot is overwritten, so that the item can be collected before the array is cut.
    this.#items[this.#head] = undefined as T
    this.#head += 1
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Index of the first item that `isReached` holds for; `length` when there is none. It holds for all behind that one too. */
  firstIndex(isReached: (item: T) => boolean): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const item = this.at(middle)
      if (item !== undefined && isReached(item)) high = middle
      else low = middle + 1
    }
    return low
  }
}
