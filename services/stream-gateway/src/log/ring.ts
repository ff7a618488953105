import { Deque } from './deque.ts'
import type { Routed } from '../streams/filter.ts'
import type { Frame } from '../frames/frames.ts'
import { dominates, type OffsetVector } from './offset-vector.ts'

/** A record of the ring, framed. */
export interface RingRecord extends Routed {
  readonly partition: number
  readonly offset: number
  readonly id: string
  readonly appendedAtMs: number
  /** Its frame's id is the ring's position after the record. */
  readonly frame: Frame
}

/** Measured bytes of a record besides its frame: object, strings, index entries. */
const RECORD_OVERHEAD_BYTES = 600

/**
 * The recent records of all partitions in the order in which this process read them (dispatch order), bounded in bytes. A
 * record's number (`seq`) says its place in that order. Records that no stream shows (copies, dead letters) are not kept;
 * they move the position all the same.
 */
export class Ring {
  /** The next offset of each partition: all below was read. */
  readonly position: OffsetVector
  /** The lowest offset of each partition from which on the ring has everything up to `position`. */
  readonly low: OffsetVector
  bytes = 0
  readonly #records = new Deque<RingRecord>()
  readonly #seqs: readonly Deque<{ readonly seq: number; readonly offset: number }>[]
  #firstSeq = 0

  constructor(start: OffsetVector) {
    this.position = Float64Array.from(start)
    this.low = Float64Array.from(start)
    this.#seqs = Array.from(start, () => new Deque())
  }

  get length(): number {
    return this.#records.length
  }

  /** The number that the next record will get. */
  get endSeq(): number {
    return this.#firstSeq + this.#records.length
  }

  get oldest(): RingRecord | undefined {
    return this.#records.at(0)
  }

  /** The record of a number; undefined when it was evicted or does not exist yet. */
  at(seq: number): RingRecord | undefined {
    return this.#records.at(seq - this.#firstSeq)
  }

  /** Appends a record that is at or above the position of its partition, and moves the position behind it. */
  append(record: RingRecord): void {
    const { partition, offset } = record
    this.#seqs[partition]?.push({ seq: this.endSeq, offset })
    this.#records.push(record)
    this.bytes += record.frame.chunk.length + RECORD_OVERHEAD_BYTES
    this.position[partition] = offset + 1
  }

  /** Moves the position of a partition over records that no stream shows. */
  reach(partition: number, nextOffset: number): void {
    if (nextOffset > (this.position[partition] ?? 0)) this.position[partition] = nextOffset
  }

  /** Lets the oldest records go until at most `bytesMax` are held. */
  evict(bytesMax: number, onEvicted: (record: RingRecord) => void): void {
    while (this.bytes > bytesMax) {
      const record = this.#records.shift()
      if (record === undefined) return
      this.#firstSeq += 1
      this.#seqs[record.partition]?.shift()
      this.low[record.partition] = record.offset + 1
      this.bytes -= record.frame.chunk.length + RECORD_OVERHEAD_BYTES
      onEvicted(record)
    }
  }

  /** Whether the ring has everything from a position on. */
  covers(position: OffsetVector): boolean {
    return dominates(position, this.low)
  }

  /** The number of the first record at or above a position, in any partition; `endSeq` when there is none. */
  seqFrom(position: OffsetVector): number {
    let first = this.endSeq
    for (let partition = 0; partition < position.length; partition += 1) {
      const seqs = this.#seqs[partition]
      const entry = seqs?.at(seqs.firstIndex(({ offset }) => offset >= (position[partition] ?? 0)))
      if (entry !== undefined && entry.seq < first) first = entry.seq
    }
    return first
  }

  /**
   * The number from which on a stream at `position` may get shared frames when it walks the ring: before the record of that
   * number (and all later ones) the ring's own position was at or above it in every partition. Infinity when it is not yet.
   */
  sharedFrom(position: OffsetVector): number {
    let from = this.#firstSeq
    for (let partition = 0; partition < position.length; partition += 1) {
      from = Math.max(from, this.#reachedAt(partition, position[partition] ?? 0))
    }
    return from
  }

  /** The lowest number known before which the ring's position in a partition had reached `offset`. */
  #reachedAt(partition: number, offset: number): number {
    const seqs = this.#seqs[partition]
    if (seqs === undefined || offset <= (this.low[partition] ?? 0)) return this.#firstSeq
    const index = seqs.firstIndex((entry) => entry.offset >= offset)
    const before = seqs.at(index - 1)
    if (before !== undefined && before.offset + 1 === offset) return before.seq + 1
    const next = seqs.at(index)
    // Unkept records lie between: when the next kept one was appended, all below it had been read.
    if (next !== undefined) return next.seq
    return (this.position[partition] ?? 0) >= offset ? this.endSeq : Number.POSITIVE_INFINITY
  }
}
