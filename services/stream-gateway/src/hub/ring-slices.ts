import { matches, RecordAttributes } from '@ariftly/events'
import { joinBlocks, renderFrame } from '../frames/frames.ts'
import type { StreamIds } from '@ariftly/http'
import type { DuplicateCheck } from '../log/duplicate-check.ts'
import type { OffsetVector, ReadonlyOffsetVector } from '../log/offset-vector.ts'
import { tenantOf } from '../log/record-tenant.ts'
import type { Ring } from '../log/ring.ts'
import { dataFor } from './filter.ts'
import type { SliceSize } from './hub-options.ts'
import { sharedFrame } from './record-frames.ts'
import type { FilterGroup, Subscriber } from './subscriber.ts'

interface RingSlicesOptions {
  readonly epoch: number
  readonly ids: StreamIds
  readonly ring: Ring
  readonly size: SliceSize
  readonly duplicates: DuplicateCheck
}

/** The frames that a stream gets of a few consecutive records of the ring. */
export interface RingSlice {
  /** Its frames, joined; undefined when no record is the stream's. */
  readonly block: Buffer | undefined
  readonly frames: number
  /** The stream's position after it; valid until the next slice is asked for. */
  readonly position: ReadonlyOffsetVector
  /** The number after the last record's. */
  readonly endSeq: number
  /** The next record may have a duplicate known only to Postgres. */
  readonly isStopped: boolean
}

/** Memory of the slices kept for other streams, and overhead of one slice. */
const SHARED_BYTES_MAX = 8 * 1024 * 1024
const SLICE_OVERHEAD_BYTES = 400

/**
 * Reads the ring for streams that are not live, slice by slice. Slices end at fixed record numbers or when they have enough
 * bytes, so streams of one filter with near positions get equal slices: each is made once and its block is shared. The
 * newest {@link SHARED_BYTES_MAX} of them are kept.
 */
export class RingSlices {
  readonly #o: RingSlicesOptions
  /** By group and first number, in the order in which they were made. */
  readonly #shared = new Map<string, RingSlice>()
  #sharedBytes = 0
  /** Where the walk is. One for all walks, so that none makes its own. */
  readonly #position: OffsetVector

  constructor(o: RingSlicesOptions) {
    this.#o = o
    this.#position = new Float64Array(o.ring.position.length)
  }

  /** The next slice of a stream whose position the ring covers. The caller moves the stream past it. */
  next(subscriber: Subscriber): RingSlice {
    const { ring } = this.#o
    const { position, group, fromMs } = subscriber
    const fromSeq = ring.seqFrom(position)
    const sharedFrom = ring.sharedFrom(position)
    // The stream has had exactly the records before: its next slice equals that of all such streams of its filter.
    const isInStep = fromSeq >= sharedFrom && fromMs === 0
    const key = isInStep && group !== undefined && othersCome(group) ? `${group.number}/${fromSeq}` : undefined
    const known = key === undefined ? undefined : this.#shared.get(key)
    if (known !== undefined) return known
    const { slice, isFinal } = this.#walk(subscriber, fromSeq, sharedFrom)
    if (key !== undefined && isFinal) this.#share(key, { ...slice, position: Float64Array.from(slice.position) })
    return slice
  }

  #share(key: string, slice: RingSlice): void {
    this.#shared.set(key, slice)
    this.#sharedBytes += bytesOf(slice)
    for (const [oldest, { block }] of this.#shared) {
      if (this.#sharedBytes <= SHARED_BYTES_MAX) return
      this.#shared.delete(oldest)
      this.#sharedBytes -= bytesOf({ block })
    }
  }

  /** Walks a slice record by record. It is final unless records may be added to it, or one was shown without its look-up. */
  #walk(
    subscriber: Subscriber,
    fromSeq: number,
    sharedFrom: number,
  ): { readonly slice: RingSlice; readonly isFinal: boolean } {
    const { ring, size, duplicates } = this.#o
    const position = this.#position
    position.set(subscriber.position)
    const fullSeq = fromSeq - (fromSeq % size.records) + size.records
    const endSeq = Math.min(ring.endSeq, fullSeq)
    const blocks: Buffer[] = []
    let bytes = 0
    let isStopped = false
    let isSure = true
    let seq = fromSeq
    for (; seq < endSeq && bytes < size.bytes; seq += 1) {
      const partition = ring.partition(seq)
      const offset = ring.offset(seq)
      if (offset < (position[partition] ?? 0)) continue
      const isWanted = this.#mayShow(seq, subscriber)
      const passage = isWanted ? duplicates.pass(seq) : 'known'
      if (passage !== 'known') isSure = false
      isStopped = passage === 'wait'
      if (isStopped) break
      position[partition] = offset + 1
      const chunk = isWanted ? this.#frameOf(seq, subscriber, seq >= sharedFrom) : undefined
      if (chunk === undefined) continue
      blocks.push(chunk)
      bytes += chunk.length
    }
    const block = blocks.length === 0 ? undefined : joinBlocks(blocks, bytes)
    const isFinal = isSure && (seq === fullSeq || bytes >= size.bytes)
    return { slice: { block, frames: blocks.length, position, endSeq: seq, isStopped }, isFinal }
  }

  /** Whether a record is the stream's, as far as its headers say. */
  #mayShow(seq: number, { filter, fromMs }: Subscriber): boolean {
    const { ring } = this.#o
    if (ring.state(seq) === 'hidden' || ring.appendedAtMs(seq) < fromMs) return false
    const known = ring.decoded(seq)
    if (known !== undefined) return matches(filter, known.event)
    const view = ring.view(seq)
    if (tenantOf(view) !== filter.tenant) return false
    return matches(filter, new RecordAttributes(view, filter.tenant))
  }

  /** Undefined for a dead letter. */
  #frameOf(seq: number, { filter }: Subscriber, isShared: boolean): Buffer | undefined {
    const { ring, ids, epoch } = this.#o
    const position = this.#position
    const framed = ring.event(seq)
    if (framed === undefined) return undefined
    const id = () => ids.seal({ epoch, position })
    if (isShared) return sharedFrame(framed, filter, { id, onKept: (bytes) => ring.addBytes(seq, bytes) })
    const { event } = framed
    return renderFrame({ event: event.type, data: dataFor(filter, event), id: id(), isKept: false })
  }
}

/** Whether more than one stream of the filter is not live. */
function othersCome({ subscribers, live }: FilterGroup): boolean {
  return subscribers.size - live.size > 1
}

function bytesOf({ block }: Pick<RingSlice, 'block'>): number {
  return SLICE_OVERHEAD_BYTES + (block?.length ?? 0)
}
