import { FilterIndex, isSameFilter } from '@ariftly/events'
import type { ByteShare } from '@ariftly/fairness'
import type { OffsetVector } from '../log/offset-vector.ts'
import type { StreamFilter } from './filter.ts'

/** A stream, as its group sees it. */
interface Member {
  readonly sink: unknown
}

/** The open streams `S` of one filter. The live ones get the same bytes, so what waits for them is kept once. */
export interface GroupOf<S extends Member> {
  readonly filter: StreamFilter
  /** No other group of the process has it. */
  readonly number: number
  /** All of them. */
  readonly subscribers: Set<S>
  /** With their sinks, so that a write does not read the subscriber itself. */
  readonly live: Map<S, S['sink']>
  /** Frames that wait to be written; they and the fields below are written by `PendingFrames` alone. */
  pending: Buffer[]
  pendingBytes: number
  /** Memory of them that is counted for this group; undefined for none. */
  held: ByteShare | undefined
  /** It waits for its tenant's turn. */
  isQueued: boolean
  /** Set when its tenant's share is full: no more frames are added, and its streams fall back to this position after the pending ones. */
  stoppedAt: OffsetVector | undefined
  /** A block that some of the live streams have not been given yet. */
  unfinished: UnfinishedBlock<S> | undefined
}

/** A block that not all live streams of its groups have been given yet. */
interface UnfinishedBlock<S extends Member> {
  readonly groups: readonly GroupOf<S>[]
  readonly block: Buffer
  /** The ring's position after its last frame. */
  readonly position: OffsetVector
  /** The streams that are to be given it: an iterator of the groups' live ones, to which none is added meanwhile. */
  readonly rest: IterableIterator<[S, S['sink']]>
}

/**
 * The filter index of the open streams. Streams that are not live are listed too, so that the records they will want are decoded
 * and checked for duplicates when they are read.
 */
export type FilterGroups<S extends Member> = FilterIndex<StreamFilter, GroupOf<S>>

/** Makes an empty index. Streams share a group if they show the same bytes. */
export function createFilterGroups<S extends Member>(): FilterGroups<S> {
  return new FilterIndex({
    newGroup: (filter, number) => ({
      filter,
      number,
      subscribers: new Set(),
      live: new Map(),
      pending: [],
      pendingBytes: 0,
      held: undefined,
      isQueued: false,
      stoppedAt: undefined,
      unfinished: undefined,
    }),
    isSame: (a, b) => a.envelope === b.envelope && isSameFilter(a, b),
  })
}
