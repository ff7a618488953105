const OFFSET_OUT_OF_RANGE = 1
const READ_COMMITTED = 1
const NO_REPLICA = -1
const NO_SESSION_EPOCH = -1
const UNKNOWN = -1
const HEAD_BYTES = 4 * 4 + 1 + 2 * 4
const PARTITION_BYTES = 4 + 4 + 8 + 8 + 4

/** Where to read a partition from. */
interface FetchPlace {
  readonly partition: number
  readonly offset: number
}

export interface FetchOrder {
  readonly topic: string
  /** Filled in this order while there is room: partitions that got nothing last time should come first. */
  readonly places: readonly FetchPlace[]
  /** How long the broker waits for the first byte, ms. */
  readonly maxWaitMs: number
  readonly bytesMax: number
  readonly bytesPerPartitionMax: number
}

/** What a broker gave of one partition, records still encoded. */
export interface FetchedPartition {
  readonly partition: number
  /** 0, or the broker's error code. */
  readonly errorCode: number
  /** Whether the log had no such offset: below its start, or beyond its end. */
  readonly outOfRange: boolean
  readonly highWatermark: number
  readonly logStart: number
  /** Transactions that were aborted, in order of their first offset. */
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches, the last of which may be cut off. A view of the answer. */
  readonly batches: Buffer
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchedTopic {
  readonly topic: string
  readonly partitions: readonly FetchedPartition[]
}

/** Encodes a Fetch v11 of committed records, outside of any fetch session. Source: Kafka protocol guide. */
export function encodeFetch({ topic, places, maxWaitMs, bytesMax, bytesPerPartitionMax }: FetchOrder): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const body = Buffer.alloc(HEAD_BYTES + 4 + 2 + topicBytes + 4 + places.length * PARTITION_BYTES + 4 + 2)
  let at = body.writeInt32BE(NO_REPLICA, 0)
  at = body.writeInt32BE(maxWaitMs, at)
  at = body.writeInt32BE(1, at) // min_bytes
  at = body.writeInt32BE(bytesMax, at)
  at = body.writeInt8(READ_COMMITTED, at)
  at = body.writeInt32BE(0, at) // session_id
  at = body.writeInt32BE(NO_SESSION_EPOCH, at)
  at = body.writeInt32BE(1, at) // one topic
  at = body.writeInt16BE(topicBytes, at)
  at += body.write(topic, at)
  at = body.writeInt32BE(places.length, at)
  for (const { partition, offset } of places) {
    at = body.writeInt32BE(partition, at)
    at = body.writeInt32BE(UNKNOWN, at) // current_leader_epoch
    at = body.writeBigInt64BE(BigInt(offset), at)
    at = body.writeBigInt64BE(BigInt(UNKNOWN), at) // log_start_offset
    at = body.writeInt32BE(bytesPerPartitionMax, at)
  }
  return body // no forgotten topics, no rack: zeros
}

/** Decodes the answer to a Fetch v11. Source: Kafka protocol guide. */
export function decodeFetched(data: Buffer): {
  readonly throttleMs: number
  readonly errorCode: number
  readonly topics: readonly FetchedTopic[]
} {
  const topics: FetchedTopic[] = []
  let at = 14
  for (let left = data.readInt32BE(10); left > 0; left -= 1) {
    const nameBytes = data.readInt16BE(at)
    const topic = data.toString('utf8', at + 2, at + 2 + nameBytes)
    at += 2 + nameBytes
    const partitions: FetchedPartition[] = []
    let partitionsLeft = data.readInt32BE(at)
    at += 4
    for (; partitionsLeft > 0; partitionsLeft -= 1) {
      const [partition, next] = decodePartition(data, at)
      partitions.push(partition)
      at = next
    }
    topics.push({ topic, partitions })
  }
  return { throttleMs: data.readInt32BE(0), errorCode: data.readInt16BE(4), topics }
}

function decodePartition(data: Buffer, start: number): [FetchedPartition, number] {
  const errorCode = data.readInt16BE(start + 4)
  const aborted: AbortedTransaction[] = []
  let at = start + 34
  for (let left = data.readInt32BE(start + 30); left > 0; left -= 1) {
    aborted.push({ producerId: data.readBigInt64BE(at), firstOffset: Number(data.readBigInt64BE(at + 8)) })
    at += 16
  }
  const bytes = Math.max(0, data.readInt32BE(at + 4)) // preferred_read_replica stands before
  at += 8
  const partition = {
    partition: data.readInt32BE(start),
    errorCode,
    outOfRange: errorCode === OFFSET_OUT_OF_RANGE,
    highWatermark: Number(data.readBigInt64BE(start + 6)),
    logStart: Number(data.readBigInt64BE(start + 22)),
    aborted,
    batches: data.subarray(at, at + bytes),
  }
  return [partition, at + bytes]
}
