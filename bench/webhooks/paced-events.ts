import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINES, eventually } from '@ariftly/testkit'
import type { WebhookSystem } from './system.ts'

const POSTS_PER_S = 20

/** Posts events at a constant rate until it is closed, and measures the latency of each. */
export class PacedEvents {
  readonly #system: WebhookSystem
  readonly #o: { readonly perS: number; readonly tenants: number; readonly endpoints: number }
  readonly #running: Promise<void>
  /** Accepted and not received yet: number to milliseconds of the monotonic clock. */
  readonly #underWay = new Map<number, number>()
  readonly #early = new Map<number, number>()
  readonly #received = new Set<number>()
  #next = 0
  #longestMs = 0
  #again = 0
  #closed = false

  constructor(
    system: WebhookSystem,
    o: { readonly perS: number; readonly tenants: number; readonly endpoints: number },
  ) {
    this.#system = system
    this.#o = o
    this.#running = this.#run()
  }

  /** Requests for events that had been received before. */
  get receivedAgain(): number {
    return this.#again
  }

  /** The longest latency, ms, of the events accepted since the last call; waits for all of them. */
  async longestWaitMs(): Promise<number> {
    const until = this.#next
    await eventually(
      'all accepted events are received',
      async () => {
        await this.#takeArrivals()
        return [...this.#underWay.keys()].every((number) => number >= until)
      },
      { timeoutMs: DEADLINES.load, everyMs: 50 },
    )
    const longest = this.#longestMs
    this.#longestMs = 0
    return longest
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    const posting = new Set<Promise<void>>()
    let nextMs = performance.now()
    for (let post = 0; !this.#closed; post += 1) {
      const posted = this.#post(post % this.#o.tenants)
      posting.add(posted)
      void posted.then(() => posting.delete(posted))
      nextMs += 1000 / POSTS_PER_S
      await sleep(Math.max(0, nextMs - performance.now()))
    }
    await Promise.all(posting)
  }

  async #post(tenant: number): Promise<void> {
    const { perS, tenants, endpoints } = this.#o
    const first = this.#next
    const count = Math.round(perS / POSTS_PER_S)
    this.#next += count
    const agents = Array.from({ length: count }, (_, index) => {
      return `agent-${(tenant + tenants * ((first + index) % (endpoints / tenants))) % endpoints}`
    })
    const acceptedMs = await this.#system.post(`tenant-${tenant}`, agents, first)
    for (let number = first; number < first + count; number += 1) {
      const arrivedMs = this.#early.get(number)
      if (arrivedMs === undefined) this.#underWay.set(number, acceptedMs)
      else this.#early.delete(number)
    }
  }

  async #takeArrivals(): Promise<void> {
    for (const [, number, atMs] of await this.#system.takeArrivals()) {
      if (this.#received.has(number)) this.#again += 1
      this.#received.add(number)
      const acceptedMs = this.#underWay.get(number)
      if (acceptedMs === undefined) this.#early.set(number, atMs)
      else this.#longestMs = Math.max(this.#longestMs, atMs - acceptedMs)
      this.#underWay.delete(number)
    }
  }
}
