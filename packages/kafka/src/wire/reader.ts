/**
 * Reads the fields of an answer one after another. Source: Kafka protocol guide, "Protocol Primitive Types". In a flexible
 * version (KIP-482) strings and arrays are compact, and each structure ends with tagged fields.
 */
export class WireReader {
  readonly #data: Buffer
  readonly isFlexible: boolean
  #at = 0

  constructor(data: Buffer, { isFlexible = false } = {}) {
    this.#data = data
    this.isFlexible = isFlexible
  }

  int8(): number {
    return this.#data.readInt8(this.#skip(1))
  }

  int16(): number {
    return this.#data.readInt16BE(this.#skip(2))
  }

  int32(): number {
    return this.#data.readInt32BE(this.#skip(4))
  }

  /** A 64-bit integer below 2^53. */
  int64(): number {
    return Number(this.bigint64())
  }

  bigint64(): bigint {
    return this.#data.readBigInt64BE(this.#skip(8))
  }

  /** An id in Kafka's own spelling; null when it is all zeros. */
  uuid(): string | null {
    const start = this.#skip(16)
    const bytes = this.#data.subarray(start, this.#at)
    return bytes.some((byte) => byte !== 0) ? bytes.toString('base64url') : null
  }

  /** A nullable string. */
  string(): string | null {
    const length = this.isFlexible ? this.#uvarint() - 1 : this.int16()
    if (length < 0) return null
    const start = this.#skip(length)
    return this.#data.toString('utf8', start, this.#at)
  }

  /** Nullable bytes, as a view; null is read as empty. */
  bytes(): Buffer {
    const length = this.isFlexible ? this.#uvarint() - 1 : this.int32()
    const start = this.#skip(Math.max(0, length))
    return this.#data.subarray(start, this.#at)
  }

  /** An array; null is read as empty. */
  array<T>(readItem: () => T): T[] {
    const length = this.isFlexible ? this.#uvarint() - 1 : this.int32()
    return Array.from({ length: Math.max(0, length) }, readItem)
  }

  /** The partitions of all topics, which produce and fetch answers name by id when they are flexible, and by name before. */
  partitions<T>(readPartition: () => T): T[] {
    const topics = this.array(() => {
      if (this.isFlexible) this.uuid()
      else this.string()
      const partitions = this.array(readPartition)
      this.tags()
      return partitions
    })
    return topics.flat()
  }

  /** Passes over the tagged fields of a structure; nothing in a version that is not flexible. */
  tags(): void {
    for (let left = this.isFlexible ? this.#uvarint() : 0; left > 0; left -= 1) {
      this.#uvarint()
      this.#skip(this.#uvarint())
    }
  }

  /** An unsigned varint of up to 31 bits. */
  #uvarint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#data.readUInt8(this.#skip(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  #skip(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    return start
  }
}
