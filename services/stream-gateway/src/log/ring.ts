import { decodeRecord } from '@ariftly/events'
import { RecordView } from '@ariftly/kafka'
import { NumberQueue } from './number-queue.ts'
import { dominates, type OffsetVector, type ReadonlyOffsetVector } from './offset-vector.ts'
import { RECORD_STATES, type RecordState } from './record-state.ts'
import { createColumns, doubled, type FramedEvent } from './ring-columns.ts'

const HIDDEN = RECORD_STATES.indexOf('hidden')

/** Bytes of a fetched answer, from `start` on there, that are in a segment from `at` on. */
interface CopiedBytes {
  readonly segment: Buffer
  readonly at: number
  readonly start: number
}

/** Memory of a record in addition to its bytes: columns and its entry in the partition's queue. */
const RECORD_OVERHEAD_BYTES = 64
/** Memory of a decoded event in addition to its frames: object, strings. */
const EVENT_OVERHEAD_BYTES = 600
const SEGMENT_BYTES = 512 * 1024
/** Records that are together larger are copied one by one: a segment is as large as its largest copy. */
const COPIED_BYTES_MAX = SEGMENT_BYTES / 8
const CAPACITY_MIN = 1024

/**
 * The recent records of all partitions in the order in which this process read them (dispatch order), bounded in bytes. A
 * record's number (`seq`) is its place in that order. The bytes of records are copied into segments of the ring's own, so
 * that they retain no fetched answer. What was decoded for a stream that walks the ring is kept for the next one.
 */
export class Ring {
  /** The next offset of each partition: all below was read. */
  readonly position: OffsetVector
  /** The lowest offset of each partition from which on the ring has everything up to `position`. */
  readonly low: OffsetVector
  bytes = 0
  #columns = createColumns(CAPACITY_MIN)
  #firstSeq = 0
  #length = 0
  /** The numbers of each partition's records. */
  readonly #seqs: readonly NumberQueue[]
  #segment = Buffer.alloc(0)
  #segmentUsed = 0

  constructor(start: OffsetVector) {
    this.position = Float64Array.from(start)
    this.low = Float64Array.from(start)
    this.#seqs = Array.from(start, () => new NumberQueue())
  }

  get length(): number {
    return this.#length
  }

  /** The number that the next record will get. */
  get endSeq(): number {
    return this.#firstSeq + this.#length
  }

  /** When the oldest record was appended, epoch milliseconds; undefined when there is none. */
  get oldestMs(): number | undefined {
    return this.#length === 0 ? undefined : this.appendedAtMs(this.#firstSeq)
  }

  partition(seq: number): number {
    return this.#columns.partitions[this.#slot(seq)] ?? 0
  }

  offset(seq: number): number {
    return this.#columns.offsets[this.#slot(seq)] ?? 0
  }

  appendedAtMs(seq: number): number {
    return this.#columns.times[this.#slot(seq)] ?? 0
  }

  state(seq: number): RecordState {
    return RECORD_STATES[this.#columns.states[this.#slot(seq)] ?? 0] ?? 'hidden'
  }

  /**
   * Copies the bytes of records that will be appended, in one copy; undefined when they are not contiguous in one fetched
   * answer, or large: then {@link append} copies each.
   */
  copy(records: readonly RecordView[]): CopiedBytes | undefined {
    const first = records[0]
    const last = records.at(-1)
    if (first === undefined || last === undefined || first.bytes !== last.bytes) return undefined
    const { bytes, start } = first
    const { end } = last
    return end - start > COPIED_BYTES_MAX ? undefined : this.#copy({ bytes, start, end })
  }

  /**
   * Appends a record that is at or above the position of its partition and moves the position past it; returns its number.
   * `copied` is the result of {@link copy} for it and its neighbours.
   */
  append(record: RecordView, state: RecordState, copied?: CopiedBytes): number {
    if (this.#length === this.#columns.offsets.length) {
      this.#columns = doubled(this.#columns, { fromSeq: this.#firstSeq, toSeq: this.endSeq })
    }
    const seq = this.endSeq
    const slot = this.#slot(seq)
    const { partition, offset, start, end } = record
    const length = end - start
    const { segment, at, start: copiedFrom } = copied ?? this.#copy(record)
    const { partitions, offsets, times, states, segments, starts, lengths, extras, events } = this.#columns
    partitions[slot] = partition
    offsets[slot] = offset
    times[slot] = record.timestampMs
    states[slot] = RECORD_STATES.indexOf(state)
    starts[slot] = at + start - copiedFrom
    segments[slot] = segment
    lengths[slot] = length
    extras[slot] = 0
    events[slot] = undefined
    this.#length += 1
    this.#seqs[partition]?.push(seq)
    this.bytes += length + RECORD_OVERHEAD_BYTES
    this.position[partition] = offset + 1
    return seq
  }

  /** Moves the position of a partition over offsets that hold no record. */
  reach(partition: number, nextOffset: number): void {
    if (nextOffset > (this.position[partition] ?? 0)) this.position[partition] = nextOffset
  }

  /** Drops the oldest records until at most `bytesMax` are held. */
  evict(bytesMax: number): void {
    while (this.bytes > bytesMax && this.#length > 0) {
      const slot = this.#slot(this.#firstSeq)
      const { partitions, offsets, segments, lengths, extras, events } = this.#columns
      const partition = partitions[slot] ?? 0
      this.#seqs[partition]?.shift()
      this.low[partition] = (offsets[slot] ?? 0) + 1
      this.bytes -= (lengths[slot] ?? 0) + RECORD_OVERHEAD_BYTES + (extras[slot] ?? 0)
      segments[slot] = undefined
      events[slot] = undefined
      this.#firstSeq += 1
      this.#length -= 1
    }
  }

  /** A record, not decoded. */
  view(seq: number): RecordView {
    const { segments, starts, lengths } = this.#columns
    const slot = this.#slot(seq)
    const start = starts[slot] ?? 0
    return new RecordView(
      { partition: this.partition(seq), offset: this.offset(seq), timestampMs: this.appendedAtMs(seq) },
      { bytes: segments[slot] ?? Buffer.alloc(0), start, end: start + (lengths[slot] ?? 0) },
    )
  }

  /** The event of a record if it was decoded before. */
  decoded(seq: number): FramedEvent | undefined {
    return this.#columns.events[this.#slot(seq)]
  }

  /** The event of a record, decoded at the first call; undefined when it is hidden or a dead letter. */
  event(seq: number): FramedEvent | undefined {
    const slot = this.#slot(seq)
    const { events, states } = this.#columns
    if (states[slot] === HIDDEN) return undefined
    const known = events[slot]
    if (known !== undefined) return known
    const decoded = decodeRecord(this.view(seq), this.position.length)
    if (decoded.kind !== 'event') {
      states[slot] = HIDDEN
      return undefined
    }
    const kept = { event: decoded.event, frame: undefined, envelopeFrame: undefined }
    events[slot] = kept
    this.addBytes(seq, EVENT_OVERHEAD_BYTES)
    return kept
  }

  /** Counts memory that was made for a record, such as its frames. */
  addBytes(seq: number, bytes: number): void {
    const slot = this.#slot(seq)
    this.#columns.extras[slot] = (this.#columns.extras[slot] ?? 0) + bytes
    this.bytes += bytes
  }

  /** Whether the ring has everything from a position on. */
  covers(position: ReadonlyOffsetVector): boolean {
    return dominates(position, this.low)
  }

  /** The number of a partition's record with an offset; undefined when the ring does not have it. */
  seqOf(partition: number, offset: number): number | undefined {
    const seqs = this.#seqs[partition]
    const index = seqs?.firstIndex((seq) => this.offset(seq) >= offset) ?? 0
    const seq = seqs !== undefined && index < seqs.length ? seqs.at(index) : undefined
    return seq !== undefined && this.offset(seq) === offset ? seq : undefined
  }

  /** The number of the first record at or above a position, in any partition; `endSeq` when there is none. */
  seqFrom(position: ReadonlyOffsetVector): number {
    let first = this.endSeq
    for (const [partition, seqs] of this.#seqs.entries()) {
      const index = seqs.firstIndex((seq) => this.offset(seq) >= (position[partition] ?? 0))
      if (index < seqs.length) first = Math.min(first, seqs.at(index))
    }
    return first
  }

  /**
   * The number from which on a stream at `position` may get shared frames when it walks the ring: before the record of that
   * number (and all later ones) the ring's own position was at or above it in every partition. Infinity when it is not yet.
   */
  sharedFrom(position: ReadonlyOffsetVector): number {
    let from = this.#firstSeq
    for (const [partition, seqs] of this.#seqs.entries()) {
      from = Math.max(from, this.#reachedAt(partition, seqs, position[partition] ?? 0))
    }
    return from
  }

  /** The lowest number known before which the ring's position in a partition had reached `offset`. */
  #reachedAt(partition: number, seqs: NumberQueue, offset: number): number {
    if (offset <= (this.low[partition] ?? 0)) return this.#firstSeq
    const index = seqs.firstIndex((seq) => this.offset(seq) >= offset)
    if (index > 0 && this.offset(seqs.at(index - 1)) + 1 === offset) return seqs.at(index - 1) + 1
    // Offsets without a record are between: when the next record was appended, all below it had been read.
    if (index < seqs.length) return seqs.at(index)
    return (this.position[partition] ?? 0) >= offset ? this.endSeq : Number.POSITIVE_INFINITY
  }

  #slot(seq: number): number {
    return seq & (this.#columns.offsets.length - 1)
  }

  /** Copies bytes into the current segment, or into a new one. */
  #copy({ bytes, start, end }: Pick<RecordView, 'bytes' | 'start' | 'end'>): CopiedBytes {
    const length = end - start
    if (this.#segmentUsed + length > this.#segment.length) {
      this.#segment = Buffer.allocUnsafeSlow(Math.max(SEGMENT_BYTES, length))
      this.#segmentUsed = 0
    }
    const at = this.#segmentUsed
    bytes.copy(this.#segment, at, start, end)
    this.#segmentUsed += length
    return { segment: this.#segment, at, start }
  }
}
