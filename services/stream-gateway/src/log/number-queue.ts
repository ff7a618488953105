/** A queue of numbers in one typed array: 8 bytes a number. */
export class NumberQueue {
  #items = new Float64Array(16)
  #first = 0
  length = 0

  push(value: number): void {
    if (this.length === this.#items.length) {
      const items = new Float64Array(this.length * 2)
      for (let index = 0; index < this.length; index += 1) items[index] = this.at(index)
      this.#items = items
      this.#first = 0
    }
    this.#items[(this.#first + this.length) & (this.#items.length - 1)] = value
    this.length += 1
  }

  /** The number at an index from 0 to `length - 1`. */
  at(index: number): number {
    return this.#items[(this.#first + index) & (this.#items.length - 1)] ?? 0
  }

  shift(): void {
    if (this.length === 0) return
    this.#first = (this.#first + 1) & (this.#items.length - 1)
    this.length -= 1
  }

  /** Index of the first number for which `isReached` holds, which must hold for all later ones too; `length` when there is none. */
  firstIndex(isReached: (value: number) => boolean): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isReached(this.at(middle))) high = middle
      else low = middle + 1
    }
    return low
  }
}
