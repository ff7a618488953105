import { gzipSync } from 'node:zlib'
import { crc32c } from './crc32c.ts'
import { GZIP } from './codec.ts'
import { ATTRIBUTES_AT, CRC_AT, HEAD_BYTES, LENGTH_AT, MAGIC_AT } from './record-batch.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

/** A record to encode; header values as they shall stand in the log. */
export interface BatchRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>
}

type HeaderValue = string | Buffer | null

/**
 * Encodes records as one batch of message format v2 (KIP-98), without producer id, all with the same timestamp, which the
 * broker replaces by the append time. Source: Kafka protocol guide, "Record Batch".
 */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  o: { readonly nowMs: number; readonly compression?: 'none' | 'gzip' },
): Buffer {
  let bytesMax = HEAD_BYTES
  for (const record of records) bytesMax += recordBytesMax(record)
  const plain = Buffer.allocUnsafe(bytesMax)
  let end = HEAD_BYTES
  for (let index = 0; index < records.length; index += 1)
    end = writeRecord(plain, end, records[index] as BatchRecord, index)
  const gzip = o.compression === 'gzip'
  const batch = gzip ? packBody(plain.subarray(0, end)) : plain.subarray(0, end)
  writeHead(batch, { attributes: gzip ? GZIP : 0, count: records.length, nowMs: o.nowMs })
  return batch
}

function packBody(plain: Buffer): Buffer {
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
/** Varints of a record besides those of its headers, and its attributes. */
const FIXED_BYTES_MAX = 6 * VARINT_BYTES_MAX + 2
/** Of UTF-8, for one UTF-16 unit. */
const CHAR_BYTES_MAX = 3

/** A bound that is cheap to know: a character is counted with the most bytes that it can have. */
function recordBytesMax({ key, value, headers }: BatchRecord): number {
  let bytes = FIXED_BYTES_MAX + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) {
    const given = headers[name]
    if (given === undefined) continue
    const nameBytes = name.length * CHAR_BYTES_MAX + 2 * VARINT_BYTES_MAX
    if (typeof given === 'string') bytes += nameBytes + given.length * CHAR_BYTES_MAX
    else if (isOne(given)) bytes += nameBytes + (given?.length ?? 0)
    else for (const one of given) bytes += nameBytes + (one?.length ?? 0) * CHAR_BYTES_MAX
  }
  return bytes
}

/** Most records are 64 to 8,191 bytes long, so that their length takes two bytes. */
const LENGTH_BYTES_GUESS = 2

/** Writes the record first and its length before it; returns the position behind it. */
function writeRecord(into: Buffer, start: number, record: BatchRecord, index: number): number {
  const body = start + LENGTH_BYTES_GUESS
  const end = writeRecordBody(into, body, record, index)
  const shift = sizeOfVarint(end - body) - LENGTH_BYTES_GUESS
  if (shift !== 0) into.copyWithin(body + shift, body, end)
  writeVarint(into, start, end - body)
  return end + shift
}

/** Attributes and the timestamp's delta are 0. */
function writeRecordBody(into: Buffer, start: number, { key, value, headers }: BatchRecord, index: number): number {
  into[start] = 0
  into[start + 1] = 0
  let at = writeVarint(into, start + 2, index)
  at = writeNullable(into, at, key)
  at = writeNullable(into, at, value)
  at = writeVarint(into, at, countHeaders(headers))
  for (const name in headers) {
    const given = headers[name]
    if (given === undefined) continue
    if (typeof given === 'string') at = writeText(into, writeText(into, at, name), given)
    else if (isOne(given)) at = writeNullable(into, writeText(into, at, name), given)
    else for (const one of given) at = writeOne(into, writeText(into, at, name), one)
  }
  return at
}

function countHeaders(headers: BatchRecord['headers']): number {
  let count = 0
  for (const name in headers) {
    const given = headers[name]
    if (given !== undefined) count += typeof given === 'string' || isOne(given) ? 1 : given.length
  }
  return count
}

/** Bytes or no value; else it is all the values of a name that stands more than once. */
function isOne(given: Buffer | null | readonly HeaderValue[]): given is Buffer | null {
  return given === null || Buffer.isBuffer(given)
}

function writeOne(into: Buffer, start: number, value: HeaderValue): number {
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
