/** Reads the fields of an answer one after the other. Source: Kafka protocol guide, "Protocol Primitive Types". */
export class WireReader {
  readonly #data: Buffer
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
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
    return Number(this.#data.readBigInt64BE(this.#skip(8)))
  }

  /** A nullable string. */
  string(): string | null {
    const length = this.int16()
    if (length < 0) return null
    const start = this.#skip(length)
    return this.#data.toString('utf8', start, this.#at)
  }

  /** An array; null is read as empty. */
  array<T>(readItem: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, readItem)
  }

  #skip(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    return start
  }
}
