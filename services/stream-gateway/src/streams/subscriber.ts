import type { StreamFilter } from './filter.ts'
import type { OffsetVector } from '../log/offset-vector.ts'

/** Where a stream's bytes go: a socket, or a list in a test. */
export interface Sink {
  /** Takes whole chunks; never blocks. Answers with what is unsent then. */
  write(block: Buffer): number
  /** Bytes that were written and that the client's side has not taken yet. */
  unsentBytes(): number
  /** False once too much is unsent; `Hub.drained` is then to be called when all is taken. */
  hasRoom(): boolean
  /** Bytes that the client's side has taken since the start. */
  sentBytes(): number
  /** Ends the connection after what is unsent, without the terminal chunk. */
  end(): void
  /** Cuts the connection. */
  destroy(): void
}

/**
 * - `starting`: its position is being found out.
 * - `history`: a page from Postgres is being read.
 * - `pulling`: it walks the ring from its own position, or waits until its socket has room or the ring goes on.
 * - `held`: what comes next is neither in the ring nor in Postgres yet.
 * - `live`: it stands in the index and gets shared frames; its position is the ring's.
 */
export type Phase = 'starting' | 'history' | 'pulling' | 'held' | 'live' | 'closed'

/** One open stream. */
export class Subscriber {
  phase: Phase = 'starting'
  /** Its own position; of no meaning while it is live. */
  position: OffsetVector
  group: FilterGroup | undefined
  /** It waits in the run queue. */
  queued = false
  /** It was taken off the index because it reads too slowly. */
  slow = false
  /** Since when it has been held, ms. */
  heldSinceMs = 0
  /** Since when it has waited at the ring's end with a position above it, ms. */
  aheadSinceMs = 0
  /** The ring's version that the last id sent to it covers. */
  sentVersion = -1
  /** What had been taken at the last look, 0 when nothing waited, and when that was last more than before. */
  takenBytes = 0
  takenAtMs: number
  readonly filter: StreamFilter
  readonly sink: Sink
  readonly keyId: string
  /** Records that were appended before this are not shown (`after`). */
  readonly fromMs: number
  /** When its key expires. */
  readonly expiresAtMs: number
  /** What it asked for: an id or a time; for `stream.reset`. */
  readonly requested: string

  constructor(o: {
    readonly filter: StreamFilter
    readonly sink: Sink
    readonly keyId: string
    readonly fromMs?: number
    readonly expiresAtMs?: number | null
    readonly requested?: string
    readonly partitions: number
    readonly nowMs: number
  }) {
    this.filter = o.filter
    this.sink = o.sink
    this.keyId = o.keyId
    this.fromMs = o.fromMs ?? 0
    this.expiresAtMs = o.expiresAtMs ?? Infinity
    this.requested = o.requested ?? ''
    this.position = new Float64Array(o.partitions)
    this.takenAtMs = o.nowMs
  }
}

/** The live clients of one filter. They get the same bytes, so what waits for them is kept once. */
export class FilterGroup {
  readonly filter: StreamFilter
  readonly clients = new Set<Subscriber>()
  /** Frames since the last flush. */
  pending: Buffer[] = []
  pendingBytes = 0
  /** The ring's version after the last of them. */
  pendingVersion = 0

  constructor(filter: StreamFilter) {
    this.filter = filter
  }
}
