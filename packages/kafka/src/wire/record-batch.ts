import { gunzipSync, gzipSync } from 'node:zlib'
import type { RawRecord } from '@ariftly/events'
import { crc32c } from './crc32c.ts'
import { readVarint, sizeOfVarint, writeVarint, type Cursor } from './varint.ts'

/** A record to encode; header values as they shall stand in the log. */
export interface BatchRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>
}

/** What stands at the head of a record batch (message format v2), and where its records are. */
export interface RecordBatchHead {
  readonly baseOffset: number
  readonly lastOffset: number
  /** Position of the batch's first byte and of the byte after its last. */
  readonly start: number
  readonly end: number
  readonly attributes: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: bigint
  readonly count: number
}

const HEAD_BYTES = 61
const LENGTH_AT = 8
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const GZIP = 1
const INFLATED_BYTES_MAX = 256 * 1024 * 1024

/** Whether a batch belongs to a transaction; whether it holds markers that no client may see. */
export const isTransactional = (head: RecordBatchHead): boolean => (head.attributes & TRANSACTIONAL) !== 0
export const isControl = (head: RecordBatchHead): boolean => (head.attributes & CONTROL) !== 0

/**
 * Encodes records as one batch of message format v2 (KIP-98), without producer id, all with the same timestamp, which the
 * broker replaces by the append time. Source: Kafka protocol guide, "Record Batch".
 */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  o: { readonly nowMs: number; readonly compression?: 'none' | 'gzip' },
): Buffer {
  const gzip = o.compression === 'gzip'
  const sized = records.map((record, index) => sizeRecord(record, index))
  const bodyBytes = sized.reduce((sum, { bytes }) => sum + sizeOfVarint(bytes) + bytes, 0)
  const body = Buffer.allocUnsafe((gzip ? 0 : HEAD_BYTES) + bodyBytes)
  let at = gzip ? 0 : HEAD_BYTES
  for (const record of sized) at = writeRecord(body, at, record)
  const batch = gzip ? Buffer.concat([Buffer.allocUnsafe(HEAD_BYTES), gzipSync(body)]) : body
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, MAGIC_AT)
  batch.writeInt16BE(gzip ? GZIP : 0, ATTRIBUTES_AT)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(o.nowMs), 27)
  batch.writeBigInt64BE(BigInt(o.nowMs), 35)
  batch.writeBigInt64BE(-1n, 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT)
  return batch
}

interface SizedRecord {
  readonly record: BatchRecord
  readonly index: number
  readonly headers: readonly (readonly [name: string, value: string | Buffer])[]
  readonly bytes: number
}

function sizeRecord(record: BatchRecord, index: number): SizedRecord {
  const headers: [string, string | Buffer][] = []
  let headerBytes = 0
  for (const name in record.headers) {
    const given = record.headers[name]
    if (given === undefined) continue
    const values = typeof given === 'string' || Buffer.isBuffer(given) ? [given] : given
    for (const value of values) {
      headers.push([name, value])
      headerBytes += sizeOfBytes(Buffer.byteLength(name)) + sizeOfBytes(Buffer.byteLength(value))
    }
  }
  const bytes =
    1 + // attributes
    1 + // timestamp delta, always 0
    sizeOfVarint(index) +
    sizeOfNullable(record.key) +
    sizeOfNullable(record.value) +
    sizeOfVarint(headers.length) +
    headerBytes
  return { record, index, headers, bytes }
}

function writeRecord(into: Buffer, start: number, { record, index, headers, bytes }: SizedRecord): number {
  let at = writeVarint(into, start, bytes)
  into[at] = 0
  into[at + 1] = 0
  at = writeVarint(into, at + 2, index)
  at = writeNullable(into, at, record.key)
  at = writeNullable(into, at, record.value)
  at = writeVarint(into, at, headers.length)
  for (const [name, value] of headers) {
    at = writeText(into, at, name)
    at = typeof value === 'string' ? writeText(into, at, value) : writeNullable(into, at, value)
  }
  return at
}

const sizeOfBytes = (length: number): number => sizeOfVarint(length) + length
const sizeOfNullable = (bytes: Buffer | null): number => (bytes === null ? 1 : sizeOfBytes(bytes.length))

function writeNullable(into: Buffer, start: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(into, start, -1)
  const at = writeVarint(into, start, bytes.length)
  return at + bytes.copy(into, at)
}

function writeText(into: Buffer, start: number, text: string): number {
  const at = writeVarint(into, start, Buffer.byteLength(text))
  return at + into.write(text, at, 'utf8')
}

/**
 * Reads the head of the batch that begins at `start`. Undefined when the batch is cut off, as the last one of a fetch may
 * be. Throws on a message format other than v2, which Kafka 4 no longer has.
 */
export function readBatchHead(data: Buffer, start: number): RecordBatchHead | undefined {
  if (start + HEAD_BYTES > data.length) return undefined
  const end = start + LENGTH_AT + 4 + data.readInt32BE(start + LENGTH_AT)
  if (end > data.length) return undefined
  const magic = data.readInt8(start + MAGIC_AT)
  if (magic !== 2) throw new Error(`message format v${magic} is not supported`)
  const baseOffset = Number(data.readBigInt64BE(start))
  const lastOffset = baseOffset + data.readInt32BE(start + 23)
  if (!Number.isSafeInteger(lastOffset)) throw new RangeError('offset beyond 2^53')
  return {
    baseOffset,
    lastOffset,
    start,
    end,
    attributes: data.readInt16BE(start + ATTRIBUTES_AT),
    baseTimestampMs: Number(data.readBigInt64BE(start + 27)),
    maxTimestampMs: Number(data.readBigInt64BE(start + 35)),
    producerId: data.readBigInt64BE(start + 43),
    count: data.readInt32BE(start + 57),
  }
}

/** Whether a control batch is the marker of an aborted transaction. Its key is `version int16, type int16` (0: abort). */
export function isAbortMarker(data: Buffer, head: RecordBatchHead): boolean {
  const [marker] = readRecords(data, head, { partition: 0, from: 0 })
  return marker?.key != null && marker.key.length >= 4 && marker.key.readInt16BE(2) === 0
}

/**
 * Decodes the records of a batch whose offset is `from` or above. Keys, values and headers are views of `data`: copy what
 * is to be kept longer. Header values are Buffers; a name that stands twice has an array.
 */
export function readRecords(
  data: Buffer,
  head: RecordBatchHead,
  o: { readonly partition: number; readonly from: number },
): RawRecord[] {
  const codec = head.attributes & CODEC_MASK
  if (codec !== 0 && codec !== GZIP) throw new Error(`records compressed by codec ${codec} cannot be read`)
  const plain = data.subarray(head.start + HEAD_BYTES, head.end)
  const bytes = codec === GZIP ? gunzipSync(plain, { maxOutputLength: INFLATED_BYTES_MAX }) : plain
  const fixedTime = (head.attributes & LOG_APPEND_TIME) !== 0
  const records: RawRecord[] = []
  const cursor: Cursor = { data: bytes, at: 0 }
  for (let left = head.count; left > 0; left -= 1) {
    const end = readVarint(cursor) + cursor.at
    cursor.at += 1
    const timestampDelta = readVarint(cursor)
    const offset = head.baseOffset + readVarint(cursor)
    if (offset >= o.from) {
      records.push({
        partition: o.partition,
        offset,
        timestampMs: fixedTime ? head.maxTimestampMs : head.baseTimestampMs + timestampDelta,
        key: readNullable(cursor),
        value: readNullable(cursor),
        headers: readHeaders(cursor),
      })
    }
    cursor.at = end
  }
  return records
}

function readNullable(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor)
  if (length < 0) return null
  const start = cursor.at
  cursor.at += length
  return cursor.data.subarray(start, cursor.at)
}

type Headers = Record<string, Buffer | Buffer[] | undefined>

function readHeaders(cursor: Cursor): Headers {
  const headers: Headers = {}
  for (let left = readVarint(cursor); left > 0; left -= 1) {
    const length = readVarint(cursor)
    const name = cursor.data.toString('utf8', cursor.at, cursor.at + length)
    cursor.at += length
    // A null value is kept as an empty one: no attribute of ours may be empty, so both are bad alike.
    const value = readNullable(cursor) ?? EMPTY
    addHeader(headers, name, value)
  }
  return headers
}

const EMPTY = Buffer.alloc(0)

function addHeader(headers: Headers, name: string, value: Buffer): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined
  const next = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  if (name === '__proto__') Object.defineProperty(headers, name, { value: next, enumerable: true, configurable: true })
  else headers[name] = next
}
