import { WireReader } from './reader.ts'

/** The special timestamps of ListOffsets. */
export const LATEST = -1
/** The first offset that the log still has. */
export const EARLIEST = -2
const NO_REPLICA = -1

/** An offset that a leader was asked for; `errorCode` 0 when `offset` counts. */
export interface ListedOffset {
  readonly partition: number
  readonly errorCode: number
  readonly offset: number
}

/** Encodes a ListOffsets v1: the first offset, or the end (high watermark), of partitions that the broker leads. */
export function encodeListOffsets(o: {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly timestamp: typeof LATEST | typeof EARLIEST
}): Buffer {
  const name = Buffer.from(o.topic)
  const body = Buffer.alloc(4 + 4 + 2 + name.length + 4 + o.partitions.length * 12)
  let at = body.writeInt32BE(NO_REPLICA, 0)
  at = body.writeInt32BE(1, at)
  at = body.writeInt16BE(name.length, at)
  at += name.copy(body, at)
  at = body.writeInt32BE(o.partitions.length, at)
  for (const partition of o.partitions) {
    at = body.writeInt32BE(partition, at)
    at = body.writeBigInt64BE(BigInt(o.timestamp), at)
  }
  return body
}

/** Decodes the answer to a ListOffsets v1 for one topic. */
export function decodeListedOffsets(data: Buffer): readonly ListedOffset[] {
  const read = new WireReader(data)
  const topics = read.array(() => {
    read.string() // name
    return read.array((): ListedOffset => {
      const partition = read.int32()
      const errorCode = read.int16()
      read.int64() // timestamp
      return { partition, errorCode, offset: read.int64() }
    })
  })
  return topics.flat()
}
