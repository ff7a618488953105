import type { HistoryPartition } from '@ariftly/store/streams'
import type { StreamFilter } from './filter.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import type { StreamIds } from '../frames/stream-id.ts'

/** What a hub is made of; nothing of it is a socket, so that all of this is tested without any. */
export interface HubOptions {
  readonly epoch: number
  /** Where the log reader begins. */
  readonly start: OffsetVector
  /** Of each partition, whether that is the first record that there ever was. */
  readonly fromOrigin: readonly boolean[]
  readonly ids: StreamIds
  readonly ringBytesMax: number
  readonly idsMax: number
  /** A live client with more unsent bytes is served by pull from then on. */
  readonly unsentBytesMax: number
  /** History pages read at the same time. */
  readonly historyReadsMax: number
  readHistory(filter: StreamFilter, position: OffsetVector): Promise<ReadonlyMap<number, HistoryPartition>>
  now(): number
  /** Runs a function soon, after what is already waiting (`setImmediate`). */
  schedule(run: () => void): void
  onHistoryError?(error: unknown): void
}

/** Numbers that only grow. */
export interface HubCounts {
  records: number
  copies: number
  delivered: number
  deliveredBytes: number
  /** Blocks that were handed to sockets: frames that wait for a client go out in one. */
  writes: number
  slow: number
  historyPages: number
}
