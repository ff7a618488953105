import type { HistoryPartition, HistoryRow } from '../history/read-history-page.ts'
import type { OffsetVector } from './offset-vector.ts'

/**
 * Merges the partitions of a page by id (so by time), as far as each partition's own order allows. `show` is called with
 * each row after `position` was moved past it. If a partition's page was cut, later ids of other partitions are left for
 * the next page, as rows of the cut one may belong before them; `position` is then at the first row left in each partition.
 * Each call moves `position` unless the page has nothing above it.
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

/** The lowest id among the queues' next rows; undefined at the end, or when it is above the id at which a used-up page was cut. */
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
