import { bisect } from '@ariftly/async'
import type { PartitionOutcome } from '@ariftly/kafka'
import type { RecordStatus } from './part.ts'

/** Records of one partition that the broker refused together. */
export interface SeparateOptions<Item> {
  /** Whether a record must not be sent any more, as an earlier one of its request was not written. */
  readonly isDropped: (item: Item) => boolean
  readonly send: (items: readonly Item[]) => Promise<PartitionOutcome>
  /** What an outcome that is not about records means for one of them. */
  readonly statusOf: (item: Item, outcome: PartitionOutcome) => RecordStatus
  /** Called once for each record, with its status. */
  readonly settle: (item: Item, status: RecordStatus) => void
}

/** Bisects records, in order, until each one that the broker refuses is alone; the others are written. */
export async function separateRefused<Item>(items: readonly Item[], o: SeparateOptions<Item>): Promise<void> {
  const settled = new Set<Item>()

  function settle(item: Item, status: RecordStatus): void {
    if (settled.has(item)) return
    settled.add(item)
    o.settle(item, status)
  }

  await bisect(items, {
    isRefused: true,
    async attempt(some) {
      for (const item of some) if (o.isDropped(item)) settle(item, 'retry')
      const live = some.filter((item) => !settled.has(item))
      if (live.length === 0) return true
      const outcome = await o.send(live)
      if (isAboutRecords(outcome)) return false
      for (const item of live) settle(item, o.statusOf(item, outcome))
      return true
    },
    onRefused: (item) => settle(item, 'refused'),
  })
}

/** Whether the broker refused the records rather than the partition: only then sending fewer helps. */
export function isAboutRecords(outcome: PartitionOutcome): boolean {
  if (outcome.type !== 'refused') return false
  const { code } = outcome
  return code === 'MESSAGE_TOO_LARGE' || code === 'RECORD_LIST_TOO_LARGE' || code === 'INVALID_RECORD'
}
