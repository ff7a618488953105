import { backoffMs } from '@ariftly/async'
import { TurnQueue } from '@ariftly/fairness'
import type { HistoryPartition } from '@ariftly/store/streams'
import { joinBlocks, renderFrame } from '../frames/frames.ts'
import type { DuplicateCheck } from '../log/duplicate-check.ts'
import { mergeHistory } from '../log/history-page.ts'
import { dominates, raise, type OffsetVector } from '../log/offset-vector.ts'
import type { Ring } from '../log/ring.ts'
import { dataFor } from './filter.ts'
import type { HistoryPage, HubCounts, HubOptions } from './hub-options.ts'
import { RingSlices } from './ring-slices.ts'
import type { Subscriber } from './subscriber.ts'

/** What {@link createCatchUp} needs of the hub. */
export interface CatchUpOptions extends HubOptions {
  readonly ring: Ring
  readonly counts: HubCounts
  readonly duplicates: () => Pick<DuplicateCheck, 'isOpen' | 'countUnchecked'>
  /** Asks for a tick. */
  wake(): void
  /** Makes a stream live whose position the ring dominates. */
  goLive(subscriber: Subscriber): void
}

/** Brings streams from their own position to the ring's end. */
export interface CatchUp {
  /** Takes a stream that is `catchingUp`. */
  start(subscriber: Subscriber): void
  forget(subscriber: Subscriber): void
  setProjected(position: OffsetVector): void
  /** The ring has new records or a new position. */
  ringMoved(): void
  /** One round of slices, in turns of tenants; true when there is more to do at once. */
  run(): boolean
  /** Whether a stream waits for the projection. */
  isWaiting(): boolean
  /** Streams that have been ahead of the log for so long; they are given again only after as long. */
  takeAhead(ageMs: number): Subscriber[]
}

/** Of one stream's slice, so that a round stays short and the live streams are not held up. */
const SLICE_SIZE = { bytes: 64 * 1024, records: 1024 } as const
/** Length of a round, ms. */
const ROUND_MS = 2
/** Pauses after pages that could not be read. */
const RETRY = { baseMs: 200, maxMs: 30_000 } as const

/**
 * Each stream that is not live has a position of its own and gets its own frames: pages from Postgres until the ring covers
 * the position, then the ring in dispatch order, and in the tick in which it is at the ring's end and the ring's position
 * dominates its own it becomes live. What is in neither place is waited for. A stream whose socket is full waits until it
 * is writable. Nothing is ever skipped.
 *
 * A record of the ring that is `unchecked` may be a duplicate that only Postgres knows. A stream does not pass it: it is
 * served by pages until it is behind it.
 */
export function createCatchUp(o: CatchUpOptions): CatchUp {
  const { ring, counts } = o
  const slices = new RingSlices({ ...o, size: o.sliceSize ?? SLICE_SIZE })
  /** The projection's position as last seen; Infinity before. */
  const projected = new Float64Array(ring.position.length).fill(Infinity)
  const queue = new TurnQueue<Subscriber>()
  /** Since when they have been ahead of the log, ms. */
  const ahead = new Map<Subscriber, number>()
  const waiting = new Set<Subscriber>()

  function start(subscriber: Subscriber): void {
    if (subscriber.queued) return
    subscriber.queued = true
    queue.add(subscriber.filter.tenant, subscriber)
    o.wake()
  }

  function forget(subscriber: Subscriber): void {
    ahead.delete(subscriber)
    waiting.delete(subscriber)
  }

  function resume(subscriber: Subscriber): void {
    forget(subscriber)
    subscriber.catchUp()
    start(subscriber)
  }

  function setProjected(position: OffsetVector): void {
    projected.set(position)
    const nowMs = o.now()
    for (const subscriber of waiting) {
      if (nowMs >= subscriber.retryAtMs && !dominates(subscriber.position, projected)) resume(subscriber)
    }
  }

  function ringMoved(): void {
    for (const subscriber of ahead.keys()) {
      if (subscriber.phase === 'aheadOfLog') subscriber.catchUp()
      start(subscriber)
    }
  }

  function run(): boolean {
    const untilMs = o.now() + ROUND_MS
    for (let subscriber = queue.take(); subscriber !== undefined; subscriber = queue.take()) {
      subscriber.queued = false
      step(subscriber)
      if (o.now() > untilMs) break
    }
    return !queue.isEmpty
  }

  /** One slice of one stream. */
  function step(subscriber: Subscriber): void {
    if (subscriber.phase !== 'catchingUp' || !subscriber.sink.hasRoom()) return
    if (ring.covers(subscriber.position)) walk(subscriber)
    else leaveRing(subscriber)
  }

  /** What comes next is not in the ring, or not known to be no duplicate. */
  function leaveRing(subscriber: Subscriber): void {
    ahead.delete(subscriber)
    if (subscriber.fellBehind && !ring.covers(subscriber.position)) o.closeStream(subscriber, 'slow')
    else if (dominates(subscriber.position, projected)) waitForProjection(subscriber)
    else void readPage(subscriber)
  }

  function waitForProjection(subscriber: Subscriber): void {
    subscriber.waitForProjection(o.now())
    waiting.add(subscriber)
  }

  /** Gives a stream the next slice of the ring; it is live when it comes to the end. */
  function walk(subscriber: Subscriber): void {
    const { block, frames, endSeq, isStopped } = slices.next(subscriber)
    if (block !== undefined) send(subscriber, block, frames)
    if (isStopped) leaveRing(subscriber)
    else if (endSeq < ring.endSeq) start(subscriber)
    else arrive(subscriber)
  }

  /** The stream has seen the whole ring. */
  function arrive(subscriber: Subscriber): void {
    raise(subscriber.position, ring.position)
    if (!dominates(ring.position, subscriber.position)) {
      subscriber.waitAhead(o.now())
      if (!ahead.has(subscriber)) ahead.set(subscriber, o.now())
      return
    }
    ahead.delete(subscriber)
    // A full socket continues when it is writable.
    if (subscriber.sink.hasRoom()) o.goLive(subscriber)
  }

  function send(subscriber: Subscriber, block: Buffer, frames: number): void {
    subscriber.checkpointVersion = -1
    o.budget.note(subscriber, subscriber.sink.write(block))
    counts.delivered += frames
    counts.deliveredBytes += block.length
    counts.writes += 1
    o.budget.enforce()
  }

  /** A bounded number of pages is read at the same time, and tenants take turns: each page may hold megabytes. */
  async function readPage(subscriber: Subscriber): Promise<void> {
    subscriber.readHistory()
    const { filter } = subscriber
    const position = Float64Array.from(subscriber.position)
    const isStill = () => subscriber.phase === 'readingHistory' && samePosition(subscriber.position, position)
    try {
      const page = await o.historyTurns.run(filter.tenant, async () =>
        isStill() ? await o.readHistory(filter, position, { scan: subscriber.scansHistory }) : undefined,
      )
      // Closed, or started again at another position meanwhile.
      if (page !== undefined && isStill()) takePage(subscriber, page)
    } catch (error) {
      o.onHistoryError?.(error)
      if (!isStill()) return
      subscriber.failPage(o.now(), backoffMs(subscriber.failures, RETRY))
      waiting.add(subscriber)
    }
  }

  function takePage(subscriber: Subscriber, page: HistoryPage): void {
    counts.historyPages += 1
    showPage(subscriber, page.partitions)
    subscriber.gotPage(page)
    start(subscriber)
  }

  function showPage(subscriber: Subscriber, pages: ReadonlyMap<number, HistoryPartition>): void {
    const blocks: Buffer[] = []
    let bytes = 0
    const { filter, fromMs, position } = subscriber
    mergeHistory(pages, position, function show(row) {
      if (row.appendedAtMs < fromMs) return
      const id = o.ids.seal({ epoch: o.epoch, position })
      const chunk = renderFrame({ event: row.type, data: dataFor(filter, row), id })
      blocks.push(chunk)
      bytes += chunk.length
    })
    for (const partition of projected.keys()) projected[partition] = pages.get(partition)?.nextOffset ?? 0
    if (blocks.length > 0) send(subscriber, joinBlocks(blocks, bytes), blocks.length)
  }

  function takeAhead(ageMs: number): Subscriber[] {
    const nowMs = o.now()
    const due = [...ahead].filter(([, sinceMs]) => sinceMs <= nowMs - ageMs).map(([subscriber]) => subscriber)
    for (const subscriber of due) ahead.set(subscriber, nowMs)
    return due
  }

  return { start, forget, setProjected, ringMoved, run, isWaiting: () => waiting.size > 0, takeAhead }
}

function samePosition(a: OffsetVector, b: OffsetVector): boolean {
  return dominates(a, b) && dominates(b, a)
}
