import { checkpointFrame, liveFrame } from '../frames/control-frames.ts'
import { DuplicateCheck } from '../log/duplicate-check.ts'
import { IdIndex } from '../log/id-index.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import { Ring } from '../log/ring.ts'
import { CatchUp } from './catch-up.ts'
import { createFilterGroups } from './filter-groups.ts'
import type { HubCounts, HubOptions } from './hub-options.ts'
import { PendingFrames } from './pending-frames.ts'
import { RecordDispatcher, type HubBatch } from './record-dispatcher.ts'
import type { FilterGroup, Subscriber } from './subscriber.ts'

/** Length of a tick, ms: what is left is written in the next tick, after other work of the process. */
const TICK_MS = 2

/** The frames with the ring's position as their id, of one version of the hub. */
interface SealedFrames {
  readonly version: number
  readonly checkpoint: Buffer
  readonly live: Buffer
}

/** The ring, the index and the open streams of one epoch of the log. All of it runs in one thread; nothing in it waits. */
export class Hub {
  readonly epoch: number
  readonly ring: Ring
  readonly ids: IdIndex
  readonly filterIndex = createFilterGroups<Subscriber>()
  readonly counts: HubCounts = newCounts()
  readonly duplicates: DuplicateCheck
  readonly #o: HubOptions
  readonly #overfull = new Set<Subscriber>()
  readonly #pending: PendingFrames
  readonly #catchUp: CatchUp
  readonly #dispatcher: RecordDispatcher
  /** Grows with each batch: with it the position moves. */
  #version = 0
  #isScheduled = false
  #sealed: SealedFrames | undefined

  /** Makes the hub of an epoch, with an empty ring and no stream. */
  constructor(o: HubOptions) {
    this.#o = o
    this.epoch = o.epoch
    this.ring = new Ring(o.start)
    this.ids = new IdIndex({ fromOrigin: o.fromOrigin, idsMax: o.idsMax, unprojectedMax: o.unprojectedIdsMax })
    this.duplicates = new DuplicateCheck({ ...o.lookUps, ids: this.ids, ring: this.ring, now: o.now })
    const { ring, duplicates, filterIndex, counts } = this
    this.#pending = new PendingFrames({
      ...o,
      counts,
      onOverfull: (subscriber, position) => this.#overflow(subscriber, position),
      onStopped: (group, position) => this.#fallBack(group, position),
    })
    this.#catchUp = new CatchUp({
      ...o,
      ring,
      counts,
      duplicates,
      wake: () => this.#wake(),
      goLive: (subscriber, mayFlush) => this.#goLive(subscriber, mayFlush),
    })
    this.#dispatcher = new RecordDispatcher({
      epoch: o.epoch,
      streamIds: o.ids,
      ring,
      duplicates,
      filterIndex,
      counts,
      pending: this.#pending,
    })
  }

  /** Starts a stream at a position (or starts it again there), after `first` was sent. */
  begin(subscriber: Subscriber, position: OffsetVector, first: Buffer): void {
    if (subscriber.phase === 'closed') return
    this.#forget(subscriber)
    subscriber.begin(this.filterIndex.groupOf(subscriber.filter), position)
    this.#o.budget.note(subscriber, subscriber.sink.write(first))
    this.#catchUp.start(subscriber)
  }

  /** Removes a stream whose socket is closed. */
  remove(subscriber: Subscriber): void {
    if (subscriber.phase === 'closed') return
    this.#forget(subscriber)
    this.#o.budget.note(subscriber, 0)
    const empty = subscriber.close()
    if (empty !== undefined) this.filterIndex.remove(empty)
  }

  /** The stream's socket has room again. */
  onWritable(subscriber: Subscriber): void {
    this.#o.budget.note(subscriber, subscriber.sink.unsentBytes())
    if (subscriber.phase === 'overfull') this.#leaveOverfull(subscriber)
    else if (subscriber.phase === 'catchingUp') this.#catchUp.start(subscriber)
  }

  /** Takes records that were read: adds them to the ring and queues the frames of live streams. */
  append(batch: HubBatch): void {
    this.#version += 1
    this.#dispatcher.dispatch(batch)
    this.ring.reach(batch.partition, batch.nextOffset)
    this.ring.evict(this.#o.ringBytesMax)
    this.#catchUp.ringMoved()
    this.#wake()
  }

  /** The projection holds everything below `position`. */
  setProjected(position: OffsetVector): void {
    this.ids.setProjected(position)
    this.#catchUp.setProjected(position)
  }

  /** Writes pending frames and continues catching up; called by `schedule`. */
  tick(): void {
    this.#isScheduled = false
    const untilMs = this.#o.now() + TICK_MS
    const isLeft = this.#pending.run(this.ring.position, untilMs)
    const hasMore = this.#catchUp.run()
    if (isLeft || hasMore) this.#wake()
  }

  /** Whether frames wait for a live stream: their ids will be newer than a checkpoint's that is sent before them. */
  isWaitingForTurn({ phase, group }: Subscriber): boolean {
    return phase === 'live' && group !== undefined && this.#pending.isWaiting(group)
  }

  /**
   * A frame that moves the client's id to where the stream is; a stream gets another one each time that it becomes live. What
   * waits for the stream is written before, to all live streams of its filter.
   */
  checkpoint(subscriber: Subscriber): Buffer | undefined {
    const { phase, group } = subscriber
    if (phase === 'starting' || phase === 'closed') return undefined
    if (phase !== 'live') return checkpointFrame(this.#o.ids.seal({ epoch: this.epoch, position: subscriber.position }))
    if (group !== undefined) this.#pending.flush(group, this.ring.position)
    // It may have turned out to be too slow.
    if (subscriber.phase !== 'live' || !subscriber.takeCheckpoint(this.#version)) return undefined
    return this.#framesOfNow().checkpoint
  }

  /** Closes streams that have been overfull for `ageMs`; streams that have taken enough catch up. */
  closeOverfull(ageMs: number): void {
    const latestMs = this.#o.now() - ageMs
    for (const subscriber of this.#overfull) {
      if (subscriber.sinceMs > latestMs) continue
      if (subscriber.sink.unsentBytes() <= this.#o.unsentBytesMax) this.#leaveOverfull(subscriber)
      else {
        this.#overfull.delete(subscriber)
        this.#o.closeStream(subscriber, 'slow')
      }
    }
  }

  /** Whether a stream waits for the projection. */
  isWaiting(): boolean {
    return this.#catchUp.isWaiting
  }

  /** Streams that have been above this process's end of the log for `ageMs`; each at most once in that time. */
  takeAhead(ageMs: number): Subscriber[] {
    return this.#catchUp.takeAhead(ageMs)
  }

  #forget(subscriber: Subscriber): void {
    this.#catchUp.forget(subscriber)
    this.#overfull.delete(subscriber)
  }

  /** False when frames wait for the group and may not be flushed: they are older than this stream's position, and not for it. */
  #goLive(subscriber: Subscriber, mayFlush: boolean): boolean {
    const { group } = subscriber
    if (group !== undefined && this.#pending.isWaiting(group)) {
      if (!mayFlush) return false
      this.#pending.flush(group, this.ring.position)
    }
    subscriber.goLive(this.#version)
    this.#o.budget.note(subscriber, subscriber.sink.write(this.#framesOfNow().live))
    return true
  }

  /** Lets the live streams of a group catch up one by one from a position. */
  #fallBack(group: FilterGroup, position: OffsetVector): void {
    for (const subscriber of group.live.keys()) {
      subscriber.fallBack(position)
      this.#catchUp.start(subscriber)
    }
  }

  #overflow(subscriber: Subscriber, position: OffsetVector): void {
    this.counts.overfull += 1
    subscriber.overflow(position, this.#o.now())
    this.#overfull.add(subscriber)
  }

  #leaveOverfull(subscriber: Subscriber): void {
    this.#overfull.delete(subscriber)
    subscriber.catchUp()
    this.#catchUp.start(subscriber)
  }

  #wake(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#o.schedule(() => this.tick())
  }

  #framesOfNow(): SealedFrames {
    if (this.#sealed?.version === this.#version) return this.#sealed
    const streamId = this.#o.ids.seal({ epoch: this.epoch, position: this.ring.position })
    this.#sealed = { version: this.#version, checkpoint: checkpointFrame(streamId), live: liveFrame(streamId) }
    return this.#sealed
  }
}

function newCounts(): HubCounts {
  return {
    records: 0,
    hidden: 0,
    decoded: 0,
    delivered: 0,
    deliveredBytes: 0,
    writes: 0,
    overfull: 0,
    historyPages: 0,
  }
}
