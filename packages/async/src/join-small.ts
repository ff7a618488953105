import { createBatcher } from './batcher.ts'
import { Semaphore } from './semaphore.ts'

/** Dependencies of {@link joinSmall}. */
export interface JoinSmallOptions<Item, Result> {
  /** Whether an item may share a write. One that is not small has its own, so that no other item waits for it. */
  readonly isSmall: (item: Item) => boolean
  /** Small items of one write. */
  readonly togetherMax: number
  /** Writes at the same time: of several items, and of one. */
  readonly concurrency: { readonly together: number; readonly alone: number }
  /** Writes items, and returns one result an item; undefined when several of them cannot be written together. */
  readonly write: (items: readonly Item[]) => Promise<readonly Result[] | undefined>
}

/**
 * Joins small items that arrive at the same time in one write, as the write costs more than the item. When a common
 * write fails each of its items is written alone, so that none fails or waits for the fault of another.
 */
export function joinSmall<Item, Result>(o: JoinSmallOptions<Item, Result>): (item: Item) => Promise<Result> {
  const slots = new Semaphore(o.concurrency.alone)
  const small = createBatcher({ max: o.togetherMax, concurrency: o.concurrency.together, run: writeTogether })

  /** Undefined: the item is to be written alone. */
  async function writeTogether(items: readonly Item[]): Promise<readonly ({ readonly result: Result } | undefined)[]> {
    try {
      const results = await o.write(items)
      if (results !== undefined) return results.map((result) => ({ result }))
    } catch (error) {
      if (items.length === 1) throw error
    }
    return items.map(() => undefined)
  }

  async function writeAlone(item: Item): Promise<Result> {
    await slots.acquire()
    try {
      const [result] = (await o.write([item])) ?? []
      if (result === undefined) throw new Error('A write of one item has no result.')
      return result
    } finally {
      slots.release()
    }
  }

  return async function write(item) {
    const written = o.isSmall(item) ? await small.add(item) : undefined
    return written === undefined ? await writeAlone(item) : written.result
  }
}
