import type { Subscriber } from '../hub/subscriber.ts'

/** Streams by the second of the clock in which something is due for them; at most one deadline each. */
export class Deadlines {
  readonly #bySecond = new Map<number, Set<Subscriber>>()
  readonly #secondOf = new WeakMap<Subscriber, number>()
  /** All up to this second were taken. */
  #second: number

  constructor(nowMs: number) {
    this.#second = Math.floor(nowMs / 1000)
  }

  /** Replaces the stream's deadline; one that is past is due in the next second. */
  set(subscriber: Subscriber, atMs: number): void {
    this.clear(subscriber)
    const second = Math.max(this.#second + 1, Math.ceil(atMs / 1000))
    const subscribers = this.#bySecond.get(second)
    if (subscribers === undefined) this.#bySecond.set(second, new Set([subscriber]))
    else subscribers.add(subscriber)
    this.#secondOf.set(subscriber, second)
  }

  /** Removes the stream's deadline, if it has one. */
  clear(subscriber: Subscriber): void {
    const second = this.#secondOf.get(subscriber)
    if (second === undefined) return
    const subscribers = this.#bySecond.get(second)
    subscribers?.delete(subscriber)
    if (subscribers?.size === 0) this.#bySecond.delete(second)
  }

  /** Takes the streams that are due, second by second; each may be given a new deadline meanwhile. */
  *takeDue(nowMs: number): Generator<Subscriber> {
    for (; this.#second < Math.floor(nowMs / 1000); this.#second += 1) {
      const due = this.#bySecond.get(this.#second + 1)
      this.#bySecond.delete(this.#second + 1)
      if (due !== undefined) yield* due
    }
  }
}
