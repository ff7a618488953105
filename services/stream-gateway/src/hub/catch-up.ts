import { backoffMs } from '@ariftly/async'
import { TurnQueue } from '@ariftly/fairness'
import type { HistoryPartition } from '../history/read-history-page.ts'
import { joinBlocks, renderFrame } from '../frames/frames.ts'
import type { DuplicateCheck } from '../log/duplicate-check.ts'
import { mergeHistory } from '../log/history-page.ts'
import { dominates, type OffsetVector, type ReadonlyOffsetVector } from '../log/offset-vector.ts'
import type { Ring } from '../log/ring.ts'
import { dataFor } from './filter.ts'
import type { HistoryPage, HubCounts, HubOptions } from './hub-options.ts'
import { RingSlices } from './ring-slices.ts'
import type { Subscriber } from './subscriber.ts'

interface CatchUpOptions extends HubOptions {
  readonly ring: Ring
  readonly counts: HubCounts
  readonly duplicates: DuplicateCheck
  /** Asks for a tick. */
  wake(): void
  /** Makes a stream live whose position the ring dominates; false while frames wait for its group, unless they may be flushed. */
  goLive(subscriber: Subscriber, mayFlush: boolean): boolean
}

/** Bounds of one stream's slice, so that a round stays short and does not delay live streams. */
const SLICE_SIZE = { bytes: 64 * 1024, records: 1024 } as const
/** Length of a round, ms. */
const ROUND_MS = 2
/** A stream waits for the frames of its group for this long, ms: then they are written to all of it at once. */
const FLUSH_AFTER_MS = 1000
/** Pauses after pages that could not be read. */
const RETRY = { baseMs: 200, maxMs: 30_000 } as const

/**
 * Brings streams from their own position to the ring's end.
 *
 * A stream that is not live has its own position and frames: pages from Postgres until the ring covers the position, then
 * the ring in dispatch order. It becomes live in the tick in which it reaches the ring's end, the ring's position dominates
 * its own, and no frames wait for the live streams of its filter. It waits for records that are in neither the ring nor Postgres, and for its socket to be writable.
 * Nothing is ever skipped.
 *
 * A record of the ring that may have a duplicate known only to Postgres (`DuplicateCheck.pass`) is not shown from the ring:
 * the stream reads pages until its position is above it.
 */
export class CatchUp {
  readonly #o: CatchUpOptions
  readonly #ring: Ring
  readonly #slices: RingSlices
  /** The projection's position as last seen; Infinity before. */
  readonly #projected: OffsetVector
  readonly #queue = new TurnQueue<Subscriber>()
  /** Since when they have been ahead of the log, ms. */
  readonly #ahead = new Map<Subscriber, number>()
  readonly #waiting = new Set<Subscriber>()
  /** Since when they could be live but for the frames that wait for their group, ms. */
  readonly #arrived = new Map<Subscriber, number>()
  /** Those of this round: they continue in the next one, as frames are written in between. */
  readonly #arrivedNow: Subscriber[] = []

  constructor(o: CatchUpOptions) {
    this.#o = o
    this.#ring = o.ring
    this.#slices = new RingSlices({ ...o, size: o.sliceSize ?? SLICE_SIZE })
    this.#projected = new Float64Array(o.ring.position.length).fill(Infinity)
  }

  /** Whether a stream waits for the projection. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Takes a stream that is `catchingUp`. */
  start(subscriber: Subscriber): void {
    if (!subscriber.enterQueue()) return
    this.#queue.add(subscriber.filter.tenant, subscriber)
    this.#o.wake()
  }

  /** Stops waiting for a stream that is closed or starts again. */
  forget(subscriber: Subscriber): void {
    this.#ahead.delete(subscriber)
    this.#waiting.delete(subscriber)
    this.#arrived.delete(subscriber)
  }

  /** The projection holds everything below `position`: streams that wait for it continue. */
  setProjected(position: OffsetVector): void {
    this.#projected.set(position)
    const nowMs = this.#o.now()
    for (const subscriber of this.#waiting) {
      if (nowMs < subscriber.retryAtMs || dominates(subscriber.position, this.#projected)) continue
      this.forget(subscriber)
      subscriber.catchUp()
      this.start(subscriber)
    }
  }

  /** The ring has new records or a new position. */
  ringMoved(): void {
    for (const subscriber of this.#ahead.keys()) {
      if (subscriber.phase === 'aheadOfLog') subscriber.catchUp()
      this.start(subscriber)
    }
  }

  /** Runs one round of slices, tenants in turn; true when more can be done immediately. */
  run(): boolean {
    const untilMs = this.#o.now() + ROUND_MS
    for (let subscriber = this.#queue.take(); subscriber !== undefined; subscriber = this.#queue.take()) {
      subscriber.leaveQueue()
      this.#step(subscriber)
      if (this.#o.now() > untilMs) break
    }
    for (const subscriber of this.#arrivedNow.splice(0)) this.start(subscriber)
    return !this.#queue.isEmpty
  }

  /** Streams that have been ahead of the log for `ageMs`; each is returned again only after another `ageMs`. */
  takeAhead(ageMs: number): Subscriber[] {
    const nowMs = this.#o.now()
    const due = [...this.#ahead].filter(([, sinceMs]) => sinceMs <= nowMs - ageMs).map(([subscriber]) => subscriber)
    for (const subscriber of due) this.#ahead.set(subscriber, nowMs)
    return due
  }

  /** One slice of one stream. */
  #step(subscriber: Subscriber): void {
    if (subscriber.phase !== 'catchingUp' || !subscriber.sink.hasRoom()) return
    if (this.#ring.covers(subscriber.position)) this.#walk(subscriber)
    else this.#leaveRing(subscriber)
  }

  /** The next record is not in the ring, or may be a duplicate. */
  #leaveRing(subscriber: Subscriber): void {
    this.#ahead.delete(subscriber)
    this.#arrived.delete(subscriber)
    if (subscriber.fellBehind && !this.#ring.covers(subscriber.position)) this.#o.closeStream(subscriber, 'slow')
    else if (dominates(subscriber.position, this.#projected)) this.#waitForProjection(subscriber)
    else void this.#readPage(subscriber)
  }

  #waitForProjection(subscriber: Subscriber): void {
    subscriber.waitForProjection(this.#o.now())
    this.#waiting.add(subscriber)
  }

  /** Gives a stream the next slice of the ring; at the ring's end it becomes live. */
  #walk(subscriber: Subscriber): void {
    const { block, frames, position, endSeq, isStopped } = this.#slices.next(subscriber)
    subscriber.raiseTo(position)
    if (block !== undefined) this.#send(subscriber, block, frames)
    if (isStopped) this.#leaveRing(subscriber)
    else if (endSeq < this.#ring.endSeq) this.start(subscriber)
    else this.#arrive(subscriber)
  }

  /** Handles a stream at the ring's end. */
  #arrive(subscriber: Subscriber): void {
    const { position } = this.#ring
    subscriber.raiseTo(position)
    if (!dominates(position, subscriber.position)) {
      subscriber.waitAhead(this.#o.now())
      if (!this.#ahead.has(subscriber)) this.#ahead.set(subscriber, this.#o.now())
      return
    }
    this.#ahead.delete(subscriber)
    // A full socket continues when it is writable.
    if (!subscriber.sink.hasRoom()) return
    const nowMs = this.#o.now()
    const sinceMs = this.#arrived.get(subscriber) ?? nowMs
    if (this.#o.goLive(subscriber, nowMs - sinceMs >= FLUSH_AFTER_MS)) {
      this.#arrived.delete(subscriber)
    } else {
      this.#arrived.set(subscriber, sinceMs)
      this.#arrivedNow.push(subscriber)
    }
  }

  #send(subscriber: Subscriber, block: Buffer, frames: number): void {
    const { budget, counts } = this.#o
    budget.note(subscriber, subscriber.sink.write(block))
    counts.delivered += frames
    counts.deliveredBytes += block.length
    counts.writes += 1
    budget.enforce()
  }

  /** Few pages are read concurrently, tenants in turn: a page may hold megabytes. */
  async #readPage(subscriber: Subscriber): Promise<void> {
    subscriber.readHistory()
    const { filter } = subscriber
    const position = Float64Array.from(subscriber.position)
    const isStill = () => subscriber.phase === 'readingHistory' && samePosition(subscriber.position, position)
    try {
      const page = await this.#o.historyTurns.run(filter.tenant, async () =>
        isStill() ? await this.#o.readHistory(filter, position, { scan: subscriber.scansHistory }) : undefined,
      )
      // Closed, or started again at another position meanwhile.
      if (page !== undefined && isStill()) this.#takePage(subscriber, page)
    } catch (error) {
      this.#o.onHistoryError?.(error)
      if (!isStill()) return
      subscriber.failPage(this.#o.now(), backoffMs(subscriber.failures, RETRY))
      this.#waiting.add(subscriber)
    }
  }

  #takePage(subscriber: Subscriber, page: HistoryPage): void {
    this.#o.counts.historyPages += 1
    this.#showPage(subscriber, page.partitions)
    subscriber.gotPage(page)
    this.start(subscriber)
  }

  #showPage(subscriber: Subscriber, pages: ReadonlyMap<number, HistoryPartition>): void {
    const { ids, epoch } = this.#o
    const blocks: Buffer[] = []
    let bytes = 0
    const { filter, fromMs } = subscriber
    const position = Float64Array.from(subscriber.position)
    mergeHistory(pages, position, function show(row) {
      if (row.appendedAtMs < fromMs) return
      const id = ids.seal({ epoch, position })
      const chunk = renderFrame({ event: row.type, data: dataFor(filter, row), id, isKept: false })
      blocks.push(chunk)
      bytes += chunk.length
    })
    subscriber.raiseTo(position)
    const projected = this.#projected
    for (const partition of projected.keys()) projected[partition] = pages.get(partition)?.nextOffset ?? 0
    if (blocks.length > 0) this.#send(subscriber, joinBlocks(blocks, bytes), blocks.length)
  }
}

function samePosition(a: ReadonlyOffsetVector, b: ReadonlyOffsetVector): boolean {
  return dominates(a, b) && dominates(b, a)
}
