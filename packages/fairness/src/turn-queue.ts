/** Items of one tenant, in the order of arrival; items before `first` are taken. */
interface Line<T> {
  items: T[]
  first: number
}

/** Items that have left are dropped once there are this many, and at least as many as are left. */
const DROP_MIN = 64

/**
 * Items of many tenants that wait for their turn. Tenants take turns, one item each; the items of one tenant are taken in the
 * order of arrival. Adding and taking are O(1) in items and tenants.
 */
export class TurnQueue<T> {
  readonly #lines = new Map<string, Line<T>>()
  /** The tenants that have items, in the order of their turns. */
  readonly #turns: Line<string> = { items: [], first: 0 }

  get isEmpty(): boolean {
    return this.#lines.size === 0
  }

  add(tenant: string, item: T): void {
    const line = this.#lines.get(tenant)
    if (line !== undefined) {
      line.items.push(item)
      return
    }
    this.#lines.set(tenant, { items: [item], first: 0 })
    this.#turns.items.push(tenant)
  }

  /** Takes the next item of the tenant whose turn it is; undefined when there is none. */
  take(): T | undefined {
    const tenant = takeFirst(this.#turns)
    const line = tenant === undefined ? undefined : this.#lines.get(tenant)
    if (tenant === undefined || line === undefined) return undefined
    const item = takeFirst(line)
    if (line.first === line.items.length) this.#lines.delete(tenant)
    else this.#turns.items.push(tenant)
    return item
  }

  /** After one item of a tenant was taken, and before anything else is done: takes its next one too if that is wanted. */
  takeNextOf(tenant: string, isWanted: (item: T) => boolean): T | undefined {
    const line = this.#lines.get(tenant)
    const item = line?.items[line.first]
    if (line === undefined || item === undefined || !isWanted(item)) return undefined
    takeFirst(line)
    if (line.first === line.items.length) {
      this.#lines.delete(tenant)
      // Its next turn was added last.
      this.#turns.items.pop()
    }
    return item
  }
}

function takeFirst<T>(line: Line<T>): T | undefined {
  const item = line.items[line.first]
  if (item === undefined) return undefined
  line.first += 1
  if (line.first >= DROP_MIN && line.first * 2 >= line.items.length) {
    line.items = line.items.slice(line.first)
    line.first = 0
  }
  return item
}
