const OFFSET_OUT_OF_RANGE = 1

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
