import type { BatchSize } from './batch-sizer.ts'
import type { KafkaClient } from '../cluster/client.ts'
import type { LogIdentity } from '../log-identity.ts'
import type { Logger } from '@ariftly/fault'
import type { RecordView } from '../wire/record-view.ts'

/** A reader's position in a partition, stored outside of Kafka. */
export interface Position {
  /** The first offset not yet handled. */
  readonly nextOffset: number
  /** Offset of the last record handled that had a valid event id; null when there was none yet. */
  readonly lastOffset: number | null
  /** The event id of that record. */
  readonly lastId: string | null
}

/** Consecutive records of one partition. `records` is empty when the range holds transaction markers only. */
export interface LogBatch {
  readonly partition: number
  readonly records: readonly RecordView[]
  /** Always exactly the expected offset. */
  readonly firstOffset: number
  /** The last offset of the range, control records included: the next batch begins at `lastOffset + 1`. */
  readonly lastOffset: number
}

/**
 * What a handler made of a batch: `done`, the next offset is `lastOffset + 1`; or `reread`, the stored position has moved
 * under us (another process owns the partition), so positions are read again.
 */
export type HandleOutcome = { readonly type: 'done' } | { readonly type: 'reread' }

/** Lost records: `expected` to `found - 1`. The log starts at `found`. */
export interface LogGap {
  readonly partition: number
  readonly expected: number
  readonly found: number
}

/** What to read, and what to do with it. */
export interface LogReaderOptions {
  readonly client: KafkaClient
  readonly topic: string
  /** The consumer group that shares the partitions out among processes; without one all of them are read here. */
  readonly groupId?: string | undefined
  readonly partitionCount: number
  /** The log that the positions belong to. */
  readonly identity: LogIdentity
  readonly sessionTimeoutMs?: number
  /** Bounds the records of a batch, fewer when the handler is slow. Default: no bound. */
  readonly batch?: BatchSize
  /** Reads the stored positions whenever reading starts or restarts. A partition that it leaves out is not read. */
  positions(partitions: readonly number[]): Promise<ReadonlyMap<number, Position>>
  /** Handles a batch. A throw means: the same batch again, or with `batch` its first half, after a pause that grows. */
  handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome>
  /** Called with a gap that two checks of the log confirm; the reader continues at `found` when it resolves. */
  onGap?(gap: LogGap): Promise<void>
  /** Epoch milliseconds, for the age of unhandled records; default `Date.now`. */
  readonly now?: () => number
  /** Monotonic milliseconds, for the silence of a group; default `performance.now`. */
  readonly clock?: () => number
  readonly log: Logger
}

/** How far a partition is handled. */
export interface PartitionLag {
  readonly next: number
  readonly highWatermark: number
  /**
   * When the first unhandled record was appended; if it is not fetched yet, when it was first known to exist. Epoch
   * milliseconds; undefined when all are handled.
   */
  readonly oldestMs: number | undefined
}
