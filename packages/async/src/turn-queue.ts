/** Items of one tenant, in the order in which they came; those before `first` have left. */
interface Lane<T> {
  items: T[]
  first: number
}

/** Items that have left are dropped once there are so many of them, and at least as many as are left. */
const DROP_MIN = 64

/**
 * Items of many tenants that wait for their turn. Tenants take turns, one item each; the items of one tenant leave in the
 * order in which they came. Adding and taking cost the same however many items and tenants there are.
 */
export class TurnQueue<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  /** The tenants that have items, in the order of their turns. */
  readonly #turns: Lane<string> = { items: [], first: 0 }

  get isEmpty(): boolean {
    return this.#lanes.size === 0
  }

  add(tenant: string, item: T): void {
    const lane = this.#lanes.get(tenant)
    if (lane !== undefined) {
      lane.items.push(item)
      return
    }
    this.#lanes.set(tenant, { items: [item], first: 0 })
    this.#turns.items.push(tenant)
  }

  /** Takes the next item of the tenant whose turn it is; undefined when there is none. */
  take(): T | undefined {
    const tenant = takeFirst(this.#turns)
    const lane = tenant === undefined ? undefined : this.#lanes.get(tenant)
    if (tenant === undefined || lane === undefined) return undefined
    const item = takeFirst(lane)
    if (lane.first === lane.items.length) this.#lanes.delete(tenant)
    else this.#turns.items.push(tenant)
    return item
  }

  /** After one item of a tenant was taken, and before anything else is done: takes its next one too if that is wanted. */
  takeAlso(tenant: string, isWanted: (item: T) => boolean): T | undefined {
    const lane = this.#lanes.get(tenant)
    const item = lane?.items[lane.first]
    if (lane === undefined || item === undefined || !isWanted(item)) return undefined
    takeFirst(lane)
    if (lane.first === lane.items.length) {
      this.#lanes.delete(tenant)
      // Its next turn is the last one that was added.
      this.#turns.items.pop()
    }
    return item
  }
}

function takeFirst<T>(lane: Lane<T>): T | undefined {
  const item = lane.items[lane.first]
  if (item === undefined) return undefined
  lane.first += 1
  if (lane.first >= DROP_MIN && lane.first * 2 >= lane.items.length) {
    lane.items = lane.items.slice(lane.first)
    lane.first = 0
  }
  return item
}
