import { partitionOf, type EventFilter } from '@ariftly/events'
import type { HistoryPageRequest, HistoryPartition } from '@ariftly/store/streams'
import type { OffsetVector } from './offset-vector.ts'

/** What {@link createHistoryReader} needs. */
export interface HistoryReaderOptions {
  read(request: HistoryPageRequest): Promise<ReadonlyMap<number, HistoryPartition>>
  readonly partitions: number
  readonly epoch: number
  readonly topic: string
}

/** Rows and bytes of a page over all partitions that can have rows; a row may have 256 KiB. */
const PAGE_ROWS = 768
const PAGE_BYTES = 768 * 1024
/** Rows of the tenant that a page looks at in a partition when its filter names neither task nor session. */
const SCAN_ROWS = 2000

/** Asks for pages of a size that bounds memory; a task's events all stand in the partition of its key. */
export function createHistoryReader(
  o: HistoryReaderOptions,
): (tenant: string, filter: EventFilter, position: OffsetVector) => Promise<ReadonlyMap<number, HistoryPartition>> {
  return function readHistory(tenant, filter, position) {
    const onlyPartition =
      filter.taskId === undefined ? undefined : partitionOf(Buffer.from(`${tenant}/${filter.taskId}`), o.partitions)
    const parts = onlyPartition === undefined ? o.partitions : 1
    const rowsMax = Math.max(16, Math.floor(PAGE_ROWS / parts))
    const isFiltered = filter.agent !== undefined || filter.types !== undefined
    return o.read({
      tenant,
      filter,
      epoch: o.epoch,
      topic: o.topic,
      positions: new Map(position.entries()),
      ...(onlyPartition === undefined ? {} : { onlyPartition }),
      rowsMax,
      bytesMax: Math.floor(PAGE_BYTES / parts),
      scanMax: isFiltered ? SCAN_ROWS : rowsMax,
    })
  }
}
