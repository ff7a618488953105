import { partitionOf, type EventFilter } from '@ariftly/events'
import type { HistoryPageRequest, HistoryPartition } from '../history/read-history-page.ts'
import type { HistoryPage } from '../hub/hub-options.ts'
import type { OffsetVector } from '../log/offset-vector.ts'

interface HistoryReaderOptions {
  read(request: HistoryPageRequest): Promise<ReadonlyMap<number, HistoryPartition>>
  /** Whether a task or session has more than `rowsMax` events in all. */
  isLong(o: { readonly tenant: string; readonly filter: EventFilter; readonly rowsMax: number }): Promise<boolean>
  readonly partitions: number
  readonly epoch: number
  readonly topic: string
}

/** Rows and bytes of a page over all partitions that can have rows; a row may have 256 KiB. */
const PAGE_ROWS = 768
const PAGE_BYTES = 768 * 1024
/** Rows of the tenant that a page scans in a partition when it is read by position. */
const SCAN_ROWS = 2000
/**
 * Matching rows from which on a task or session is read by position: by its own index, each page would read all of it. A
 * page of a large task then costs the same wherever it is.
 */
const LARGE_ROWS = 5000
/** The same for all rows of the task or session: its index has no position, so each page also reads the rows before it. */
const LONG_ROWS = 50_000

/**
 * Reads pages of a size that bounds memory; a task's events are all in the partition of its key. Whether the task or session
 * is long is queried once, before the first page of a stream, for which `scan` is undefined.
 */
export function createHistoryReader(
  o: HistoryReaderOptions,
): (tenant: string, filter: EventFilter, position: OffsetVector, scan: boolean | undefined) => Promise<HistoryPage> {
  return async function readHistory(tenant, filter, position, asked) {
    const scan = asked ?? (await o.isLong({ tenant, filter, rowsMax: LONG_ROWS }))
    const onlyPartition = filter.taskId == null ? undefined : partitionOf(`${tenant}/${filter.taskId}`, o.partitions)
    const parts = onlyPartition === undefined ? o.partitions : 1
    const rowsMax = Math.max(16, Math.floor(PAGE_ROWS / parts))
    const isFiltered = filter.agent != null || filter.types != null || scan
    const pages = await o.read({
      tenant,
      filter,
      epoch: o.epoch,
      topic: o.topic,
      positions: new Map(position.entries()),
      ...(onlyPartition === undefined ? {} : { onlyPartition }),
      rowsMax,
      bytesMax: Math.floor(PAGE_BYTES / parts),
      scanMax: isFiltered ? SCAN_ROWS : rowsMax,
      scan,
    })
    const matching = [...pages.values()].reduce((sum, page) => sum + page.matching, 0)
    return { partitions: pages, isLarge: scan || matching > LARGE_ROWS }
  }
}
