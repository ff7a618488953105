import type { TenantTurns } from '@ariftly/fairness'
import type { HistoryPartition } from '../history/read-history-page.ts'
import type { StreamIds } from '@ariftly/http'
import type { DuplicateCheckOptions } from '../log/duplicate-check.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import type { StreamFilter } from './filter.ts'
import type { Subscriber } from './subscriber.ts'
import type { UnsentBudget } from './unsent-budget.ts'

/** Why the gateway closes a stream that is too slow, or whose credential has expired. */
export type CloseReason = 'slow' | 'expired'

/** A page of history of one stream. */
export interface HistoryPage {
  readonly partitions: ReadonlyMap<number, HistoryPartition>
  /** Whether the next page should be read by position in the log; also when this one was. */
  readonly isLarge: boolean
}

/** The size of one slice of the ring for a stream that catches up: it ends at `bytes` of frames, or after `records` scanned. */
export interface SliceSize {
  readonly bytes: number
  readonly records: number
}

/** Dependencies of a hub. None is a socket, so the hub is tested without any. */
export interface HubOptions {
  readonly epoch: number
  /** Where the log reader begins. */
  readonly start: OffsetVector
  /** For each partition: whether that is the first record that was ever appended. */
  readonly fromOrigin: readonly boolean[]
  readonly ids: StreamIds
  readonly ringBytesMax: number
  readonly idsMax: number
  readonly unprojectedIdsMax: number
  /** A live stream with more unsent bytes gets nothing until it takes some. */
  readonly unsentBytesMax: number
  /** Memory of the frames that wait for live streams; above it a tenant that holds more than its share gets no more. Default: 16 MiB. */
  readonly pendingBytesMax?: number
  /** Default: 64 KiB and 1,024 records. */
  readonly sliceSize?: SliceSize
  /** Shared by the whole process. */
  readonly budget: UnsentBudget
  /** Tenants read history pages in turn. */
  readonly historyTurns: TenantTurns
  /** `scan` is `isLarge` of the page before, undefined for the first page of a stream that catches up. */
  readHistory(
    filter: StreamFilter,
    position: OffsetVector,
    o: { readonly scan: boolean | undefined },
  ): Promise<HistoryPage>
  /** Finds duplicates in Postgres that are older than this process remembers. */
  readonly lookUps: Pick<DuplicateCheckOptions, 'lookUp' | 'newestTimes' | 'onOpened'>
  readonly now: () => number
  /** Runs a function soon, after what is already waiting (`setImmediate`). */
  schedule(run: () => void): void
  /** Sends the stream its position and ends its connection. */
  closeStream(subscriber: Subscriber, why: CloseReason): void
  onHistoryError?(error: unknown): void
}

/** Numbers that only grow. */
export interface HubCounts {
  records: number
  /** Duplicates and records that cannot be events. */
  hidden: number
  /** Records that were decoded because a stream wanted them. */
  decoded: number
  delivered: number
  deliveredBytes: number
  /** Blocks written to sockets: all pending frames of a stream are one block. */
  writes: number
  overfull: number
  historyPages: number
}
