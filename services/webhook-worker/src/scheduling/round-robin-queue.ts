/**
 * A queue in which tenants take turns: each tenant has its own first-in first-out queue, and `next` takes one item of the tenant
 * whose turn was longest ago. It is bounded by its users: what they add comes from bounded sets.
 */
export class RoundRobinQueue<Item> {
  readonly #waiting = new Map<string, Item[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(tenant: string, item: Item): void {
    const items = this.#waiting.get(tenant)
    if (items === undefined) this.#waiting.set(tenant, [item])
    else items.push(item)
    this.#size += 1
  }

  /** Takes the next item of the first tenant in turn; undefined when there is none. */
  next(): Item | undefined {
    for (const [tenant, items] of this.#waiting) {
      const item = items.shift()
      this.#waiting.delete(tenant)
      if (items.length > 0) this.#waiting.set(tenant, items)
      this.#size -= 1
      return item
    }
    return undefined
  }
}
