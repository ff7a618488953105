/** Collects items and hands them on in batches. */
export interface Batcher<Item, Result> {
  /** Resolves with the item's own result; rejects with what its batch was rejected with. */
  readonly add: (item: Item) => Promise<Result>
  /** Items waiting or under way. */
  readonly size: () => number
}

interface Entry<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Batches by load: the first item is run at the end of this event-loop tick; items that arrive while `concurrency` batches
 * run form the next one, up to `max`. So it adds no wait when idle and makes large batches when busy. `run` returns one
 * result an item, in order. Its queue is bounded by its callers: each waits for its item.
 */
export function createBatcher<Item, Result>(o: {
  readonly max: number
  readonly concurrency: number
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
}): Batcher<Item, Result> {
  let waiting: Entry<Item, Result>[] = []
  let running = 0
  let underWay = 0
  let scheduled = false

  function add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      schedule()
    })
  }

  function schedule(): void {
    if (scheduled || running >= o.concurrency || waiting.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      const batch = waiting.slice(0, o.max)
      waiting = waiting.slice(o.max)
      void runBatch(batch)
      schedule()
    })
  }

  async function runBatch(batch: readonly Entry<Item, Result>[]): Promise<void> {
    running += 1
    underWay += batch.length
    try {
      const results = await o.run(batch.map((entry) => entry.item))
      for (const [index, entry] of batch.entries()) entry.resolve(results[index] as Result)
    } catch (error) {
      for (const entry of batch) entry.reject(error)
    } finally {
      running -= 1
      underWay -= batch.length
      schedule()
    }
  }

  return { add, size: () => waiting.length + underWay }
}
