import type { LogEvent } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import { checkpointFrame, liveFrame } from '../frames/control-frames.ts'
import type { DuplicateCheck } from '../log/duplicate-check.ts'
import { EventIdBits } from '../log/event-id-bits.ts'
import { IdIndex } from '../log/id-index.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import { routedOf, tenantOf, type Routed } from '../log/read-routed.ts'
import { createRecordStates, type RecordStates } from '../log/record-states.ts'
import type { FramedEvent } from '../log/ring-columns.ts'
import { Ring, type RecordState } from '../log/ring.ts'
import { createCatchUp, type CatchUp } from './catch-up.ts'
import { FilterIndex } from './filter-index.ts'
import type { HubCounts, HubOptions } from './hub-options.ts'
import { PendingFrames } from './pending-frames.ts'
import { sharedFrame } from './record-frames.ts'
import type { FilterGroup, Subscriber } from './subscriber.ts'

/** What was found out of a record that an open stream wants. */
export interface WantedState {
  readonly event: LogEvent
  readonly state: RecordState
}

/** Consecutive records of one partition, as read. */
interface HubBatch {
  readonly partition: number
  readonly records: readonly RecordView[]
  /** Of records that streams want, by offset: the others are decoded if a stream wants them later. */
  readonly wanted: ReadonlyMap<number, WantedState>
  /** The version of the filter index when the wanted records were found: unless it has grown, no stream wants the others. */
  readonly filterVersion: number
  readonly nextOffset: number
}

/** What is known of the records of a batch. */
interface Dispatched {
  /** Their bytes, if they were copied together. */
  readonly copied: ReturnType<Ring['copy']>
  /** No stream wants those that are not known to be wanted. */
  readonly areAllFound: boolean
}

/** The ring, the index and the open streams of one epoch of the log. All of it runs in one thread; nothing in it waits. */
export interface Hub {
  readonly epoch: number
  readonly ring: Ring
  readonly ids: IdIndex
  readonly filterIndex: FilterIndex
  readonly counts: HubCounts
  /** The duplicate check asks the hub what it knows; it is given here once both exist. */
  useDuplicates(check: Pick<DuplicateCheck, 'isOpen' | 'countUnchecked'>): void
  /** The offset of an earlier record with this id, as far as this process knows. */
  readonly earlierOf: RecordStates['earlierOf']
  /** Starts a stream at a position (or starts it again there), after `first` was sent. */
  begin(subscriber: Subscriber, position: OffsetVector, first: Buffer): void
  /** The stream's socket is gone. */
  remove(subscriber: Subscriber): void
  /** The stream's socket has room again. */
  onWritable(subscriber: Subscriber): void
  append(batch: HubBatch): void
  /** The projection holds everything below `position`. */
  setProjected(position: OffsetVector): void
  /** Writes what waits now, and lets those that catch up go on; `schedule` calls it. */
  tick(): void
  /** A frame that moves the client's id to where the stream is; a stream gets another one each time that it becomes live. */
  checkpoint(subscriber: Subscriber): Buffer | undefined
  /** Closes the streams that have been overfull for so long, or lets them catch up if they have taken enough. */
  closeOverfull(ageMs: number): void
  /** Whether a stream waits for the projection. */
  isWaiting(): boolean
  /** Streams above the log's end as this process knows it, since at least `ageMs`; each only once in that time. */
  takeAhead(ageMs: number): Subscriber[]
}

/** Length of a tick, ms: the rest is written in the next one, after other work of the process. */
const TICK_MS = 2

/** Makes the hub of an epoch, with an empty ring and no stream. */
export function createHub(o: HubOptions): Hub {
  const ring = new Ring(o.start)
  const ids = new IdIndex({ fromOrigin: o.fromOrigin, idsMax: o.idsMax, unprojectedMax: o.unprojectedIdsMax })
  const states = createRecordStates({ ids, ring })
  const filterIndex = new FilterIndex()
  const overfull = new Set<Subscriber>()
  const counts: HubCounts = {
    records: 0,
    hidden: 0,
    decoded: 0,
    delivered: 0,
    deliveredBytes: 0,
    writes: 0,
    overfull: 0,
    historyPages: 0,
  }
  /** Grows with each record and each move of the position. */
  let version = 0
  /** Of the record that is being dispatched. */
  const id = new EventIdBits()
  const readId = (bytes: Buffer, start: number, end: number) => id.read(bytes, start, end)
  let before: { readonly seq: number; readonly position: OffsetVector } | undefined
  let scheduled = false
  /** The frames with the ring's position as their id. */
  let sealed: { readonly version: number; readonly checkpoint: Buffer; readonly live: Buffer } | undefined
  let duplicates: Pick<DuplicateCheck, 'isOpen' | 'countUnchecked'> = { isOpen: false, countUnchecked: ignore }
  const pending = new PendingFrames({ ...o, counts, onOverfull: overflow, onStopped: fallBack })
  const catchUp: CatchUp = createCatchUp({ ...o, ring, counts, duplicates: () => duplicates, wake, goLive })

  function begin(subscriber: Subscriber, position: OffsetVector, first: Buffer): void {
    if (subscriber.phase === 'closed') return
    catchUp.forget(subscriber)
    overfull.delete(subscriber)
    subscriber.begin(filterIndex.groupOf(subscriber.filter), position)
    o.budget.note(subscriber, subscriber.sink.write(first))
    catchUp.start(subscriber)
  }

  function remove(subscriber: Subscriber): void {
    if (subscriber.phase === 'closed') return
    catchUp.forget(subscriber)
    overfull.delete(subscriber)
    o.budget.note(subscriber, 0)
    const empty = subscriber.close()
    if (empty !== undefined) filterIndex.remove(empty)
  }

  function onWritable(subscriber: Subscriber): void {
    o.budget.note(subscriber, subscriber.sink.unsentBytes())
    if (subscriber.phase === 'overfull') leaveOverfull(subscriber)
    else if (subscriber.phase === 'catchingUp') catchUp.start(subscriber)
  }

  function goLive(subscriber: Subscriber): void {
    // Flush first: frames that wait for the group are older than this stream's position and must not be sent to it.
    if (subscriber.group !== undefined) pending.flush(subscriber.group, ring.position)
    subscriber.goLive()
    subscriber.checkpointVersion = version
    o.budget.note(subscriber, subscriber.sink.write(framesOfNow().live))
  }

  function append(batch: HubBatch): void {
    const areAllFound = batch.filterVersion === filterIndex.version
    const { records, wanted } = batch
    const shared = { copied: ring.copy(records), areAllFound }
    for (const record of records) dispatch(record, wanted.size === 0 ? undefined : wanted.get(record.offset), shared)
    ring.reach(batch.partition, batch.nextOffset)
    version += 1
    ring.evict(o.ringBytesMax)
    catchUp.ringMoved()
    wake()
  }

  function dispatch(record: RecordView, wanted: WantedState | undefined, { copied, areAllFound }: Dispatched): void {
    const { partition, offset, timestampMs: appendedAtMs } = record
    const tenant = tenantOf(record)
    const isEvent = tenant !== undefined && record.readHeader('ce_id', readId) === true
    const state = isEvent ? states.note({ partition, tenant, id, offset, appendedAtMs }, wanted?.state) : 'hidden'
    const seq = ring.append(record, state, copied)
    version += 1
    counts.records += 1
    if (state === 'hidden') counts.hidden += 1
    if (tenant === undefined || state === 'hidden') return
    if (wanted !== undefined) {
      counts.decoded += 1
      // Not kept in the ring, so that its memory is for records: few streams ever walk it.
      route(seq, state, wanted.event, { event: wanted.event, frame: undefined, envelopeFrame: undefined })
    } else if (!areAllFound && filterIndex.has(tenant)) route(seq, state, routedOf(record, tenant))
  }

  /** Without `decoded` the ring decodes the record, and keeps what it makes. */
  function route(seq: number, state: RecordState, routed: Routed, decoded?: FramedEvent): void {
    let streamId: string | undefined
    const making = {
      id: () => (streamId ??= o.ids.seal({ epoch: o.epoch, position: ring.position })),
      onMade: decoded === undefined ? (bytes: number) => ring.addBytes(seq, bytes) : ignore,
    }
    filterIndex.forEachMatch(routed, function queue(group) {
      if (group.live.size === 0 || group.stoppedAt !== undefined) return
      if (state === 'unchecked') {
        // It is not known whether it is a duplicate: the live streams continue before it, from Postgres.
        pending.flush(group, positionBefore(seq))
        fallBack(group, positionBefore(seq))
        return
      }
      if (!pending.hasRoom(group.filter.tenant)) {
        pending.stop(group, positionBefore(seq))
        return
      }
      const framed = decoded ?? ring.event(seq)
      if (framed === undefined) return
      pending.add(group, sharedFrame(framed, group.filter, making))
    })
  }

  /** Where the record that is being dispatched follows; the same object for all groups. */
  function positionBefore(seq: number): OffsetVector {
    if (before?.seq !== seq) {
      const position = Float64Array.from(ring.position)
      position[ring.partition(seq)] = ring.offset(seq)
      before = { seq, position }
    }
    return before.position
  }

  /** The live streams of a group continue by themselves, from a position. */
  function fallBack(group: FilterGroup, position: OffsetVector): void {
    for (const subscriber of group.live.keys()) {
      subscriber.fallBack(position)
      catchUp.start(subscriber)
    }
  }

  function overflow(subscriber: Subscriber, position: OffsetVector): void {
    counts.overfull += 1
    subscriber.overflow(position, o.now())
    overfull.add(subscriber)
  }

  function leaveOverfull(subscriber: Subscriber): void {
    overfull.delete(subscriber)
    subscriber.catchUp()
    catchUp.start(subscriber)
  }

  function closeOverfull(ageMs: number): void {
    const latestMs = o.now() - ageMs
    for (const subscriber of overfull) {
      if (subscriber.sinceMs > latestMs) continue
      if (subscriber.sink.unsentBytes() <= o.unsentBytesMax) leaveOverfull(subscriber)
      else {
        overfull.delete(subscriber)
        o.closeStream(subscriber, 'slow')
      }
    }
  }

  function wake(): void {
    if (scheduled) return
    scheduled = true
    o.schedule(tick)
  }

  function tick(): void {
    scheduled = false
    const untilMs = o.now() + TICK_MS
    const isLeft = pending.run(ring.position, untilMs)
    const hasMore = catchUp.run()
    if (isLeft || hasMore) wake()
  }

  function checkpoint(subscriber: Subscriber): Buffer | undefined {
    const { phase, group } = subscriber
    if (phase === 'starting' || phase === 'closed') return undefined
    if (phase !== 'live') return checkpointFrame(o.ids.seal({ epoch: o.epoch, position: subscriber.position }))
    if (group !== undefined) pending.flush(group, ring.position)
    // It may have turned out to be too slow.
    if (subscriber.phase !== 'live' || subscriber.checkpointVersion === version) return undefined
    subscriber.checkpointVersion = version
    return framesOfNow().checkpoint
  }

  function framesOfNow(): NonNullable<typeof sealed> {
    if (sealed?.version !== version) {
      const streamId = o.ids.seal({ epoch: o.epoch, position: ring.position })
      sealed = { version, checkpoint: checkpointFrame(streamId), live: liveFrame(streamId) }
    }
    return sealed
  }

  return {
    epoch: o.epoch,
    ring,
    ids,
    filterIndex,
    counts,
    useDuplicates(check) {
      duplicates = check
    },
    earlierOf: states.earlierOf,
    begin,
    remove,
    onWritable,
    append,
    setProjected(position) {
      ids.setProjected(position)
      catchUp.setProjected(position)
    },
    tick,
    checkpoint,
    closeOverfull,
    isWaiting: () => catchUp.isWaiting(),
    takeAhead: (ageMs) => catchUp.takeAhead(ageMs),
  }
}

function ignore(): void {}
