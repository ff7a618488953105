import { unpack } from './codec.ts'
import { RecordView } from './record-view.ts'
import { readVarint, type Cursor } from './varint.ts'

/** The header of a record batch (message format v2), and where its records are. */
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

/** How long a batch's head is. */
export const HEAD_BYTES = 61
/** Position of its length: int32, of the bytes after it. */
export const LENGTH_AT = 8
/** Position of its format version: int8. */
export const MAGIC_AT = 16
/** Position of its checksum: uint32, CRC-32C of the bytes after it. */
export const CRC_AT = 17
/** Position of its attributes: int16. */
export const ATTRIBUTES_AT = 21
const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** Whether a batch belongs to a transaction. */
export const isTransactional = (head: RecordBatchHead): boolean => (head.attributes & TRANSACTIONAL) !== 0
/** Whether a batch holds markers, which no client may see. */
export const isControl = (head: RecordBatchHead): boolean => (head.attributes & CONTROL) !== 0

/** When the batch was appended; under a topic's CreateTime, what its producer says of its first record. */
export function appendedAtMs({ attributes, baseTimestampMs, maxTimestampMs }: RecordBatchHead): number {
  return (attributes & LOG_APPEND_TIME) === 0 ? baseTimestampMs : maxTimestampMs
}

/**
 * Reads the header of the batch at `start`. Undefined when the batch is truncated, as the last one of a fetch may be. Throws
 * on a message format other than v2, the only one of Kafka 4.
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
 * The records of a batch with offset `from` or above. They are views of `data` (of the inflated bytes of a compressed batch),
 * decoded on access: copy what is kept longer.
 */
export function readRecords(
  data: Buffer,
  head: RecordBatchHead,
  o: { readonly partition: number; readonly from: number; readonly room?: { unpacked: number } },
): RecordView[] {
  const codec = head.attributes & CODEC_MASK
  const bytes = unpack(codec, data.subarray(head.start + HEAD_BYTES, head.end))
  if (o.room !== undefined) o.room.unpacked -= bytes.length
  const fixedTime = (head.attributes & LOG_APPEND_TIME) !== 0
  const records: RecordView[] = []
  const cursor: Cursor = { data: bytes, at: 0 }
  for (let left = head.count; left > 0; left -= 1) {
    const end = readVarint(cursor) + cursor.at
    cursor.at += 1
    const timestampDelta = readVarint(cursor)
    const offset = head.baseOffset + readVarint(cursor)
    if (offset >= o.from) {
      const timestampMs = fixedTime ? head.maxTimestampMs : head.baseTimestampMs + timestampDelta
      records.push(new RecordView({ partition: o.partition, offset, timestampMs }, { bytes, start: cursor.at, end }))
    }
    cursor.at = end
  }
  return records
}
