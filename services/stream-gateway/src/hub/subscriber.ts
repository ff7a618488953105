import type { ByteBudget, ByteShare } from '@ariftly/fairness'
import { raise, type OffsetVector, type ReadonlyOffsetVector } from '../log/offset-vector.ts'
import type { GroupOf } from './filter-groups.ts'
import type { StreamFilter } from './filter.ts'
import { FROM, type Phase } from './phases.ts'

/** Where a stream's bytes go: a socket, or a list in a test. */
export interface Sink {
  /** Takes whole chunks; never blocks. Returns the unsent bytes afterwards. */
  write(block: Buffer): number
  /** Bytes that were written and that the client's side has not taken yet. */
  unsentBytes(): number
  /** False once too much is unsent; `Hub.onWritable` is then to be called when all is taken. */
  hasRoom(): boolean
  /** Bytes that the client's side has taken since the start. */
  sentBytes(): number
  /** Ends the connection after the unsent bytes, without the terminal chunk. */
  end(): void
  /** Cuts the connection. */
  destroy(): void
}

/** The group of a stream. */
export type FilterGroup = GroupOf<Subscriber>

/** A live stream and its sink. */
export type LiveStream = [Subscriber, Sink]

/** The members of a stream that are known when it opens. */
export interface SubscriberOptions {
  /** Grows with each stream that opens. */
  readonly number?: number
  readonly filter: StreamFilter
  readonly sink: Sink
  readonly keyId: string
  readonly fromMs?: number
  readonly expiresAtMs?: number | null
  readonly requested?: string
  readonly partitions: number
  readonly nowMs: number
}

/** One open stream: its filter, its socket, its place in the log, its phase. Nothing else changes its phase, position or group. */
export class Subscriber {
  /** Grows with each stream that opens. */
  readonly number: number
  readonly filter: StreamFilter
  readonly sink: Sink
  readonly keyId: string
  /** Records that were appended before this are not shown (`after`). */
  readonly fromMs: number
  /** When its key or token expires, on the clock of `performance.now()`. */
  readonly expiresAtMs: number
  /** The start that it asked for, an id or a time; for `stream.reset`. */
  readonly requested: string
  readonly #position: OffsetVector
  /** The ring's version that its last checkpoint covers, or its last time of becoming live. */
  #checkpointVersion = -1
  /** It waits in the run queue of the catch-up. */
  #isQueued = false
  /** Its unsent bytes as last counted in the budget of the process; undefined for none. */
  #unsent: ByteShare | undefined
  /** Bytes taken at the last visit, 0 when none were unsent; and when that last grew. */
  #takenBytes = 0
  #takenAtMs: number
  #phase: Phase = 'starting'
  #group: FilterGroup | undefined
  #sinceMs: number
  #fellBehind = false
  #failures = 0
  #retryAtMs = 0
  #scansHistory: boolean | undefined

  constructor(o: SubscriberOptions) {
    this.number = o.number ?? 0
    this.filter = o.filter
    this.sink = o.sink
    this.keyId = o.keyId
    this.fromMs = o.fromMs ?? 0
    this.expiresAtMs = o.expiresAtMs ?? Infinity
    this.requested = o.requested ?? ''
    this.#position = new Float64Array(o.partitions)
    this.#takenAtMs = o.nowMs
    this.#sinceMs = o.nowMs
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Its own position; of no meaning while it is live. */
  get position(): ReadonlyOffsetVector {
    return this.#position
  }

  /** The group of its filter, from `begin` to `close`. */
  get group(): FilterGroup | undefined {
    return this.#group
  }

  /** Since when it has been in its phase. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** It was overfull and has not been live since: it gets no page of history, which is for streams that resume. */
  get fellBehind(): boolean {
    return this.#fellBehind
  }

  /** Pages in a row that could not be read, and when the next one may be asked for. */
  get failures(): number {
    return this.#failures
  }

  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /**
   * Whether its pages are read by position in the log, because its task or session is too large to be read whole. Undefined
   * before its first page, and while it is live: its task may grow.
   */
  get scansHistory(): boolean | undefined {
    return this.#scansHistory
  }

  /** Starts it at a position, or starts it again there. */
  begin(group: FilterGroup, position: ReadonlyOffsetVector): void {
    this.#group = group
    group.subscribers.add(this)
    this.#position.set(position)
    this.catchUp()
  }

  /** It has been given everything of its own below `position`: moves its own up to that wherever it is below. */
  raiseTo(position: ReadonlyOffsetVector): void {
    raise(this.#position, position)
  }

  /** Continues from its own position. */
  catchUp(): void {
    this.#enter('catchingUp')
  }

  /** Leaves the live streams, for no fault of its own, and continues from `position`. */
  fallBack(position: ReadonlyOffsetVector): void {
    this.#position.set(position)
    this.#enter('catchingUp')
  }

  readHistory(): void {
    this.#enter('readingHistory')
  }

  /** A page was read. */
  gotPage(o: { readonly isLarge: boolean }): void {
    this.#failures = 0
    this.#scansHistory = o.isLarge
    this.#enter('catchingUp')
  }

  /** A page could not be read: the next one is asked for at `retryAtMs` at the earliest. */
  failPage(nowMs: number, pauseMs: number): void {
    this.#failures += 1
    this.#retryAtMs = nowMs + pauseMs
    this.#scansHistory = true
    this.waitForProjection(nowMs)
  }

  waitForProjection(nowMs: number): void {
    this.#enter('waitingForProjection', nowMs)
  }

  waitAhead(nowMs: number): void {
    this.#enter('aheadOfLog', nowMs)
  }

  /** `version` is the ring's: it is given the position of that as it becomes live. */
  goLive(version: number): void {
    this.#fellBehind = false
    this.#checkpointVersion = version
    this.#scansHistory = undefined
    this.#enter('live')
    this.#group?.live.set(this, this.sink)
  }

  /** Too much is unsent: it stays at `position`. */
  overflow(position: ReadonlyOffsetVector, nowMs: number): void {
    this.#position.set(position)
    this.#fellBehind = true
    this.#enter('overfull', nowMs)
  }

  /** Leaves its group; returns the group if it is empty now. */
  close(): FilterGroup | undefined {
    if (this.#phase !== 'closed') this.#enter('closed')
    const group = this.#group
    group?.subscribers.delete(this)
    this.#group = undefined
    return group?.subscribers.size === 0 ? group : undefined
  }

  /** Whether a live stream is to be given a checkpoint of the ring's version, which then counts as given. */
  takeCheckpoint(version: number): boolean {
    if (this.#checkpointVersion === version) return false
    this.#checkpointVersion = version
    return true
  }

  /** Enters the run queue of the catch-up; false if it is in it. */
  enterQueue(): boolean {
    if (this.#isQueued) return false
    this.#isQueued = true
    return true
  }

  /** It was taken from the run queue. */
  leaveQueue(): void {
    this.#isQueued = false
  }

  /** Counts its unsent bytes in the budget of the process. */
  countUnsent(budget: ByteBudget, unsentBytes: number): void {
    if (unsentBytes > 0) {
      this.#unsent ??= budget.open(this.filter.tenant, this.sink)
      this.#unsent.set(unsentBytes)
    } else if (this.#unsent !== undefined) {
      this.#unsent.close()
      this.#unsent = undefined
    }
  }

  /** At a visit that finds unsent bytes: since how long the client has taken none of them, ms, as far as visits know. */
  untakenMs(nowMs: number): number {
    const takenBytes = this.sink.sentBytes()
    if (takenBytes > this.#takenBytes) {
      this.#takenBytes = takenBytes
      this.#takenAtMs = nowMs
    }
    return nowMs - this.#takenAtMs
  }

  /** At a visit that finds none. Writes nothing if the last one found none either: an idle stream is not in the CPU cache. */
  noneUnsent(): void {
    if (this.#takenBytes !== 0) this.#takenBytes = 0
  }

  #enter(phase: Phase, nowMs = this.#sinceMs): void {
    if (!FROM[phase].includes(this.#phase)) throw new Error(`A stream cannot go from ${this.#phase} to ${phase}.`)
    if (this.#phase === 'live') this.#group?.live.delete(this)
    this.#phase = phase
    this.#sinceMs = nowMs
  }
}
