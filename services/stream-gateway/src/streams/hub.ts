import type { LogEvent } from '@ariftly/events'
import { createCatchUp, type CatchUp } from './catch-up.ts'
import type { Subscriber, FilterGroup } from './subscriber.ts'
import { checkpointFrame } from '../frames/control-frames.ts'
import { createSlabs, renderFrame } from '../frames/frames.ts'
import type { HubCounts, HubOptions } from './hub-options.ts'
import { IdIndex } from '../log/id-index.ts'
import { originOf, raise, type OffsetVector } from '../log/offset-vector.ts'
import { sharedChunk } from '../frames/record-data.ts'
import { Ring, type RingRecord } from '../log/ring.ts'
import { FilterIndex } from './filter-index.ts'

/** A record of the feed that is an event. */
export interface FeedRecord {
  readonly offset: number
  readonly appendedAtMs: number
  readonly event: LogEvent
  /** Postgres knows an earlier copy. */
  readonly isCopy: boolean
}

/** Consecutive records of one partition, as read; those that are no events are left out. */
interface FeedBatch {
  readonly partition: number
  readonly records: readonly FeedRecord[]
  readonly nextOffset: number
}

/** The ring, the index and the open streams of one epoch of the log. All of it runs in one thread; nothing in it waits. */
export interface Hub {
  readonly epoch: number
  readonly ring: Ring
  readonly ids: IdIndex
  readonly filterIndex: FilterIndex
  readonly clients: ReadonlySet<Subscriber>
  readonly counts: HubCounts
  /** Takes an open stream into the books; it shows nothing before {@link Hub.begin}. */
  register(client: Subscriber): void
  /** Starts a stream at a position (or restarts it there), after `first` was sent. */
  begin(client: Subscriber, position: OffsetVector, first: Buffer): void
  /** The client's socket is gone. */
  remove(client: Subscriber): void
  /** The client's socket has room again. */
  drained(client: Subscriber): void
  append(batch: FeedBatch): void
  /** The projection holds everything below `position`. */
  setProjected(position: OffsetVector): void
  /** Writes what waits now, and lets those that catch up go on; `schedule` calls it. */
  tick(): void
  /** A frame that moves the client's id to where it stands. */
  checkpoint(client: Subscriber): Buffer | undefined
  /** Whether a stream waits for the projection. */
  isHolding(): boolean
  /** Clients above the log's end as this process knows it, since at least `ageMs`. */
  aheadSince(ageMs: number): Subscriber[]
}

/** Groups are flushed early when this much waits, so that one tick cannot pile up more for a client. */
const FLUSH_BYTES = 64 * 1024

export function createHub(o: HubOptions): Hub {
  const ring = new Ring(o.start)
  const index = new IdIndex({ fromOrigin: o.fromOrigin, idsMax: o.idsMax })
  const filterIndex = new FilterIndex()
  const clients = new Set<Subscriber>()
  const counts: HubCounts = {
    records: 0,
    copies: 0,
    delivered: 0,
    deliveredBytes: 0,
    writes: 0,
    slow: 0,
    historyPages: 0,
  }
  const allocate = createSlabs()
  /** What is known to be projected: only that may be forgotten. */
  const projected = originOf(o.start.length)
  let dirty: FilterGroup[] = []
  /** Grows with each record and each move of the position. */
  let version = 0
  let scheduled = false
  let sealed: { readonly version: number; readonly frame: Buffer } = { version: -1, frame: Buffer.alloc(0) }
  const catchUp: CatchUp = createCatchUp({ ...o, ring, counts, wake, goLive })

  function register(client: Subscriber): void {
    clients.add(client)
  }

  function begin(client: Subscriber, position: OffsetVector, first: Buffer): void {
    if (client.phase === 'closed') return
    leave(client)
    client.position.set(position)
    client.sink.write(first)
    catchUp.start(client)
  }

  function remove(client: Subscriber): void {
    if (!clients.delete(client)) return
    leave(client)
    client.phase = 'closed'
  }

  function leave(client: Subscriber): void {
    filterIndex.remove(client)
    catchUp.forget(client)
  }

  function goLive(client: Subscriber): void {
    const group = filterIndex.find(client.filter)
    // What waits for the group was dispatched before this client came: it has it already. (A tick has flushed it, but no one
    // who goes live at another time may get it twice.)
    if (group !== undefined) flushGroup(group)
    filterIndex.add(client)
    client.phase = 'live'
    client.slow = false
  }

  function append(batch: FeedBatch): void {
    const { partition } = batch
    for (const feed of batch.records) {
      index.seen(partition, feed.appendedAtMs)
      const { tenant, id } = feed.event
      const { offset, appendedAtMs } = feed
      if (feed.isCopy || !index.add({ partition, tenant, id, offset, appendedAtMs })) {
        counts.copies += 1
        continue
      }
      route(take(partition, feed))
    }
    ring.reach(partition, batch.nextOffset)
    version += 1
    ring.evict(o.ringBytesMax, ignore)
    index.trim(ring.low, projected)
    catchUp.ringMoved()
    wake()
  }

  /** Frames a record once for all: the seal is of the ring's position after it. */
  function take(partition: number, feed: FeedRecord): RingRecord {
    const { event, offset, appendedAtMs } = feed
    ring.reach(partition, offset + 1)
    version += 1
    const id = o.ids.seal({ epoch: o.epoch, position: ring.position })
    const frame = renderFrame({ event: event.type, data: event.data, id, allocate })
    const { tenant, type, taskId, sessionId, agent } = event
    const record = { partition, offset, appendedAtMs, tenant, id: event.id, type, taskId, sessionId, agent, frame }
    ring.append(record)
    counts.records += 1
    return record
  }

  function route(record: RingRecord): void {
    let envelope: Buffer | undefined
    filterIndex.forEachMatch(record, function queue(group) {
      if (group.pending.length === 0) dirty.push(group)
      const chunk = group.filter.envelope ? (envelope ??= sharedChunk(record, group.filter)) : record.frame.chunk
      group.pending.push(chunk)
      group.pendingBytes += chunk.length
      group.pendingVersion = version
      if (group.pendingBytes >= FLUSH_BYTES) flushGroup(group)
    })
  }

  function flushGroup(group: FilterGroup): void {
    const { pending } = group
    const [only] = pending
    if (only === undefined) return
    const block = pending.length === 1 ? only : Buffer.concat(pending, group.pendingBytes)
    group.pending = []
    group.pendingBytes = 0
    counts.delivered += pending.length * group.clients.size
    counts.deliveredBytes += block.length * group.clients.size
    counts.writes += group.clients.size
    for (const client of group.clients) {
      client.sentVersion = group.pendingVersion
      if (client.sink.write(block) > o.unsentBytesMax) demote(client)
    }
  }

  /** A slow client leaves the index: from here on it has a position of its own. */
  function demote(client: Subscriber): void {
    filterIndex.remove(client)
    counts.slow += 1
    client.slow = true
    client.position.set(ring.position)
    catchUp.start(client)
  }

  function wake(): void {
    if (scheduled) return
    scheduled = true
    o.schedule(tick)
  }

  function tick(): void {
    scheduled = false
    const groups = dirty
    dirty = []
    for (const group of groups) flushGroup(group)
    if (catchUp.run()) wake()
  }

  function checkpoint(client: Subscriber): Buffer | undefined {
    if (client.phase === 'starting' || client.phase === 'closed') return undefined
    if (client.phase !== 'live') return checkpointFrame(o.ids.seal({ epoch: o.epoch, position: client.position }))
    if (client.group !== undefined) flushGroup(client.group)
    // Flushing may have found it slow.
    if (client.group === undefined) return undefined
    if (client.sentVersion === version) return undefined
    client.sentVersion = version
    if (sealed.version !== version) {
      sealed = { version, frame: checkpointFrame(o.ids.seal({ epoch: o.epoch, position: ring.position })) }
    }
    return sealed.frame
  }

  return {
    epoch: o.epoch,
    ring,
    ids: index,
    filterIndex,
    clients,
    counts,
    register,
    begin,
    remove,
    drained: (client) => catchUp.drained(client),
    append,
    setProjected(position) {
      raise(projected, position)
      catchUp.setProjected(position)
      index.trim(ring.low, projected)
    },
    tick,
    checkpoint,
    isHolding: () => catchUp.isHolding(),
    aheadSince: (ageMs) => catchUp.aheadSince(ageMs),
  }
}

/** The position of "from now on": the ring's, or the log's end at the start while the ring has not come there yet. */
export function positionOfNow(ring: Ring, endAtStart: OffsetVector): OffsetVector {
  const position = Float64Array.from(ring.position)
  raise(position, endAtStart)
  return position
}

function ignore(): void {}
