import { writeUnsignedVarint } from './varint.ts'

const PART_BYTES = 1024
const VARINT_BYTES_MAX = 5

/**
 * Writes the fields of a request one after another; the counterpart of `WireReader`. Source: Kafka protocol guide, "Protocol
 * Primitive Types". In a flexible version (KIP-482) strings and arrays are compact, and each structure ends with tagged
 * fields.
 */
export class WireWriter {
  readonly isFlexible: boolean
  readonly #parts: Buffer[] = []
  #buffer = Buffer.allocUnsafe(PART_BYTES)
  /** Where the part under way begins in the buffer, and where it ends. */
  #from = 0
  #at = 0

  constructor({ isFlexible = false } = {}) {
    this.isFlexible = isFlexible
  }

  int8(value: number): void {
    const at = this.#take(1)
    this.#buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#take(2)
    this.#buffer.writeInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#take(4)
    this.#buffer.writeInt32BE(value, at)
  }

  /** A 64-bit integer; exact below 2^53. */
  int64(value: number): void {
    const at = this.#take(8)
    this.#buffer.writeBigInt64BE(BigInt(value), at)
  }

  /** An id in Kafka's own spelling; null is all zeros. */
  uuid(id: string | null): void {
    const at = this.#take(16)
    this.#buffer.fill(0, at, at + 16)
    if (id !== null) this.#buffer.write(id, at, 'base64url')
  }

  /** A nullable string. */
  string(text: string | null): void {
    const bytes = text === null ? -1 : Buffer.byteLength(text)
    if (this.isFlexible) this.#uvarint(bytes + 1)
    else this.int16(bytes)
    if (text === null) return
    const at = this.#take(bytes)
    this.#buffer.write(text, at)
  }

  /** Adds bytes without a copy: they must not change until the request is written. */
  bytes(bytes: Buffer): void {
    this.#length(bytes.length)
    this.#endPart()
    this.#parts.push(bytes)
  }

  array<T>(items: readonly T[], writeItem: (item: T) => void): void {
    this.#length(items.length)
    for (const item of items) writeItem(item)
  }

  /** The partitions of one topic, which flexible requests to produce and to fetch name by its id. */
  partitions<T>(o: Partial<TopicName>, items: readonly T[], writeItem: (item: T) => void): void {
    this.array([o], ({ topic = null, topicId = null }) => {
      if (this.isFlexible) this.uuid(topicId)
      else this.string(topic)
      this.array(items, writeItem)
      this.tags()
    })
  }

  /** No tagged fields; nothing in a version that is not flexible. */
  tags(): void {
    if (this.isFlexible) this.int8(0)
  }

  /** All that was written, in order. */
  end(): readonly Buffer[] {
    this.#endPart()
    return this.#parts
  }

  #length(length: number): void {
    if (this.isFlexible) this.#uvarint(length + 1)
    else this.int32(length)
  }

  #uvarint(value: number): void {
    const start = this.#take(VARINT_BYTES_MAX)
    this.#at = writeUnsignedVarint(this.#buffer, start, value)
  }

  #take(bytes: number): number {
    if (this.#at + bytes > this.#buffer.length) {
      this.#endPart()
      this.#buffer = Buffer.allocUnsafe(Math.max(PART_BYTES, bytes))
      this.#from = 0
      this.#at = 0
    }
    const start = this.#at
    this.#at += bytes
    return start
  }

  #endPart(): void {
    if (this.#at > this.#from) this.#parts.push(this.#buffer.subarray(this.#from, this.#at))
    this.#from = this.#at
  }
}

/** What a topic is named by. */
export interface TopicName {
  readonly topic: string
  readonly topicId: string
}
