import type { HistoryPartition, HistoryRow } from '@ariftly/store/streams'
import type { OffsetVector } from './offset-vector.ts'

/**
 * Puts the partitions of a page into one order for a person to read: by id, which is by time, as far as each partition's
 * own order allows. `show` is called with each row after the position was moved behind it. Where a partition's page was
 * cut, rows of the others with later ids are left for the next page, as its next rows may belong before them; the position
 * then stands at the first row that was left in each. Each call moves the position unless the page had nothing above it.
 */
export function mergeHistory(
  pages: ReadonlyMap<number, HistoryPartition>,
  position: OffsetVector,
  show: (row: HistoryRow, partition: number) => void,
): void {
  const queues: Queue[] = [...pages].map(([partition, page]) => ({ partition, page, at: 0 }))
  for (let next = nextOf(queues); next !== undefined; next = nextOf(queues)) {
    const { queue, row } = next
    queue.at += 1
    position[queue.partition] = row.offset + 1
    show(row, queue.partition)
  }
  for (const { partition, page, at } of queues) {
    const readTo = page.rows[at]?.offset ?? page.readTo
    if (readTo > (position[partition] ?? 0)) position[partition] = readTo
  }
}

interface Queue {
  readonly partition: number
  readonly page: HistoryPartition
  at: number
}

/** The row with the lowest id among the fronts; undefined at the end, or when it is later than where a used-up page was cut. */
function nextOf(queues: readonly Queue[]): { readonly queue: Queue; readonly row: HistoryRow } | undefined {
  let next: { readonly queue: Queue; readonly row: HistoryRow } | undefined
  let cutId: string | undefined
  for (const queue of queues) {
    const row = queue.page.rows[queue.at]
    if (row === undefined) {
      const id = queue.page.cutId
      if (id !== undefined && (cutId === undefined || id < cutId)) cutId = id
    } else if (next === undefined || row.id < next.row.id) next = { queue, row }
  }
  return next === undefined || (cutId !== undefined && next.row.id > cutId) ? undefined : next
}
