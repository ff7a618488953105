/** The items of one half, and what became of the attempt with them. */
export interface BisectOptions<Item> {
  /** Tries all of `items` together. False when they were refused and fewer may be accepted. */
  readonly attempt: (items: readonly Item[]) => Promise<boolean>
  /** Whether all items together are known to be refused already. Default false. */
  readonly isRefused?: boolean
  /** Called with an item that is refused on its own. */
  readonly onRefused: (item: Item) => void | Promise<void>
}

/**
 * Finds the items that a batch operation refuses: a refused batch is split in halves, in order, until each faulty item is
 * alone. With k faulty items of n it makes about 2 k log2(n) attempts. An error of `attempt` ends it.
 */
export async function bisect<Item>(items: readonly Item[], o: BisectOptions<Item>): Promise<void> {
  const [only, ...others] = items
  if (only === undefined || (o.isRefused !== true && (await o.attempt(items)))) return
  if (others.length === 0) return await o.onRefused(only)
  const middle = items.length >> 1
  const { attempt, onRefused } = o
  await bisect(items.slice(0, middle), { attempt, onRefused })
  await bisect(items.slice(middle), { attempt, onRefused })
}
