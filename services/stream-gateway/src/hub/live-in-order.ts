import type { FilterGroup, LiveStream } from './subscriber.ts'

/** The live streams of a group that are not written yet. */
interface Head {
  readonly rest: Iterator<LiveStream>
  next: IteratorResult<LiveStream>
}

/**
 * Iterates the live streams of several groups in the order in which they opened. Their memory, in the process and in the
 * kernel, is roughly in that order, and writes are bound by memory access. No stream may be added to the groups meanwhile.
 * Unlike a generator, iteration can be left and continued.
 */
export class LiveInOrder implements IterableIterator<LiveStream> {
  readonly #heads: readonly Head[]

  constructor(groups: readonly FilterGroup[]) {
    this.#heads = groups.map(({ live }) => {
      const rest = live.entries()
      return { rest, next: rest.next() }
    })
  }

  next(): IteratorResult<LiveStream> {
    let first: Head | undefined
    let lowest = Infinity
    for (const head of this.#heads) {
      if (head.next.done === true || head.next.value[0].number >= lowest) continue
      first = head
      lowest = head.next.value[0].number
    }
    if (first === undefined) return { done: true, value: undefined }
    const { next } = first
    first.next = first.rest.next()
    return next
  }

  [Symbol.iterator](): this {
    return this
  }
}
