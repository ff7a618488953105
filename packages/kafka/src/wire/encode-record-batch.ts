import { gzipSync } from 'node:zlib'
import { crc32c } from './crc32c.ts'
import { GZIP } from './codec.ts'
import { ATTRIBUTES_AT, CRC_AT, HEAD_BYTES, LENGTH_AT, MAGIC_AT } from './record-batch.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

/** A record to encode; strings are written as UTF-8, header values unchanged. */
export interface BatchRecord {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Given | undefined>>
}

type HeaderValue = string | Buffer | null
/** The value of a header, or all values of a repeated name. */
type Given = HeaderValue | readonly HeaderValue[]

/** Memory in which batches are encoded one after another, and how much of it is used. */
export interface BatchSpace {
  readonly bytes: Buffer
  at: number
}

/**
 * Encodes records as one batch of message format v2 (KIP-98), without producer id, all with the same timestamp, which the
 * broker replaces by the append time. The batch is written into `space` if it has room, otherwise (and when compressed) into
 * its own memory. Source: Kafka protocol guide, "Record Batch".
 */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  o: { readonly nowMs: number; readonly compression?: 'none' | 'gzip'; readonly space?: BatchSpace },
): Buffer {
  const { space = { bytes: NO_BYTES, at: 0 } } = o
  const plain = encodePlain(records, space)
  const gzip = o.compression === 'gzip'
  const batch = gzip ? compressBody(plain) : plain
  if (batch.buffer === space.bytes.buffer) space.at += batch.length
  writeHead(batch, { attributes: gzip ? GZIP : 0, count: records.length, nowMs: o.nowMs })
  return batch
}

const NO_BYTES = Buffer.alloc(0)

function encodePlain(records: readonly BatchRecord[], space: BatchSpace): Buffer {
  let bytesMax = HEAD_BYTES
  for (const record of records) bytesMax += recordBytesMax(record)
  const hasRoom = space.bytes.length - space.at >= bytesMax
  const into = hasRoom ? space.bytes : Buffer.allocUnsafeSlow(bytesMax)
  const start = hasRoom ? space.at : 0
  const headers = new HeaderWriter()
  let end = start + HEAD_BYTES
  for (let index = 0; index < records.length; index += 1)
    end = writeRecord(into, end, records[index] as BatchRecord, { index, headers })
  return into.subarray(start, end)
}

function compressBody(plain: Buffer): Buffer {
  return Buffer.concat([plain.subarray(0, HEAD_BYTES), gzipSync(plain.subarray(HEAD_BYTES))])
}

function writeHead(
  batch: Buffer,
  o: { readonly attributes: number; readonly count: number; readonly nowMs: number },
): void {
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, MAGIC_AT)
  batch.writeInt16BE(o.attributes, ATTRIBUTES_AT)
  batch.writeInt32BE(o.count - 1, 23)
  batch.writeBigInt64BE(BigInt(o.nowMs), 27)
  batch.writeBigInt64BE(BigInt(o.nowMs), 35)
  batch.writeBigInt64BE(-1n, 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(o.count, 57)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT)
}

const VARINT_BYTES_MAX = 5
/** A record's varints without those of its headers, and its attributes. */
const FIXED_BYTES_MAX = 6 * VARINT_BYTES_MAX + 2
/** Bytes of UTF-8 for one UTF-16 unit. */
const CHAR_BYTES_MAX = 3

/** A cheap upper bound, by the most bytes that a character can have; most records have less than half of it. */
function recordBytesMax({ key, value, headers }: BatchRecord): number {
  let bytes = FIXED_BYTES_MAX + valueBytesMax(key) + (value?.length ?? 0)
  for (const name in headers) {
    const given = headers[name]
    if (given === undefined) continue
    const nameBytes = name.length * CHAR_BYTES_MAX + 2 * VARINT_BYTES_MAX
    if (isOne(given)) bytes += nameBytes + valueBytesMax(given)
    else for (const one of given) bytes += nameBytes + valueBytesMax(one)
  }
  return bytes
}

function valueBytesMax(value: HeaderValue): number {
  return typeof value === 'string' ? value.length * CHAR_BYTES_MAX : (value?.length ?? 0)
}

/** Most records are 64 to 8,191 bytes long, so that their length takes two bytes. */
const LENGTH_BYTES_GUESS = 2

/** The index of a record in its batch, and the writer of its headers. */
interface Place {
  readonly index: number
  readonly headers: HeaderWriter
}

/** Writes the record and then its length before it; returns the position after it. */
function writeRecord(into: Buffer, start: number, record: BatchRecord, place: Place): number {
  const body = start + LENGTH_BYTES_GUESS
  const end = writeRecordBody(into, body, record, place)
  const shift = sizeOfVarint(end - body) - LENGTH_BYTES_GUESS
  if (shift !== 0) {
    into.copyWithin(body + shift, body, end)
    place.headers.moved(shift)
  }
  writeVarint(into, start, end - body)
  return end + shift
}

/** Attributes and the timestamp's delta are 0. */
function writeRecordBody(
  into: Buffer,
  start: number,
  { key, value, headers }: BatchRecord,
  { index, headers: writer }: Place,
): number {
  into[start] = 0
  into[start + 1] = 0
  let at = writeVarint(into, start + 2, index)
  at = writeValue(into, at, key)
  at = writeNullable(into, at, value)
  at = writeVarint(into, at, countHeaders(headers))
  return writer.write(into, at, headers)
}

function countHeaders(headers: BatchRecord['headers']): number {
  let count = 0
  for (const name in headers) {
    const given = headers[name]
    if (given !== undefined) count += isOne(given) ? 1 : given.length
  }
  return count
}

function isOne(given: Given): given is HeaderValue {
  return typeof given === 'string' || given === null || Buffer.isBuffer(given)
}

/**
 * Writes the headers of the records of a batch, one record after another. Most equal those of the previous record: their bytes
 * are copied from it, neighbours together, which is cheaper than encoding them again.
 */
class HeaderWriter {
  /** By their place in a record: the header that was written there last, of the record before or an earlier one. */
  readonly #names: string[] = []
  readonly #texts: (string | undefined)[] = []
  /** Positions of the previous record's headers. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  /** How many headers the record before has. */
  #count = 0

  /** Writes the headers of a record at `start`; returns the position after them. */
  write(into: Buffer, start: number, headers: BatchRecord['headers']): number {
    let at = start
    let index = 0
    /** The bytes that are to be copied to `at`. */
    let from = 0
    let to = 0
    for (const name in headers) {
      const given = headers[name]
      if (given === undefined) continue
      if (typeof given === 'string' && given === this.#texts[index] && name === this.#names[index]) {
        const sameStart = this.#starts[index] as number
        if (sameStart !== to) {
          at = copyBytes(into, at, from, to)
          from = sameStart
        }
        to = this.#ends[index] as number
        this.#starts[index] = at + sameStart - from
        this.#ends[index] = at + to - from
      } else {
        at = copyBytes(into, at, from, to)
        from = 0
        to = 0
        this.#names[index] = name
        this.#texts[index] = typeof given === 'string' ? given : undefined
        this.#starts[index] = at
        at = writeHeader(into, at, name, given)
        this.#ends[index] = at
      }
      index += 1
    }
    this.#count = index
    return copyBytes(into, at, from, to)
  }

  /** The record that was written last was moved. */
  moved(bytes: number): void {
    for (let index = 0; index < this.#count; index += 1) {
      this.#starts[index] = (this.#starts[index] as number) + bytes
      this.#ends[index] = (this.#ends[index] as number) + bytes
    }
  }
}

function copyBytes(into: Buffer, at: number, from: number, to: number): number {
  if (to > from) into.copyWithin(at, from, to)
  return at + to - from
}

function writeHeader(into: Buffer, start: number, name: string, given: Given): number {
  if (isOne(given)) return writeValue(into, writeText(into, start, name), given)
  let at = start
  for (const one of given) at = writeValue(into, writeText(into, at, name), one)
  return at
}

function writeValue(into: Buffer, start: number, value: HeaderValue): number {
  return typeof value === 'string' ? writeText(into, start, value) : writeNullable(into, start, value)
}

function writeNullable(into: Buffer, start: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(into, start, -1)
  const at = writeVarint(into, start, bytes.length)
  into.set(bytes, at)
  return at + bytes.length
}

/** A text of fewer characters takes one byte for its length if it is ASCII, and less time here than in native code. */
const SHORT_CHARS = 64

function writeText(into: Buffer, start: number, text: string): number {
  const { length } = text
  if (length >= SHORT_CHARS) return writeAnyText(into, start, text)
  const at = start + 1
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return writeAnyText(into, start, text)
    into[at + index] = code
  }
  into[start] = length << 1
  return at + length
}

function writeAnyText(into: Buffer, start: number, text: string): number {
  const at = writeVarint(into, start, Buffer.byteLength(text))
  return at + into.write(text, at, 'utf8')
}
