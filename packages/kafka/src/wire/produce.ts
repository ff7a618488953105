import { errorName } from './error-name.ts'

/** The batch of one partition. */
export interface PartitionBatch {
  readonly partition: number
  readonly batch: Buffer
}

/** What the leader said about one partition; `code` is `NONE` when the batch is in the log. */
export interface PartitionProduced {
  readonly partition: number
  readonly code: string
  readonly baseOffset: number
  /** Append time; -1 when the topic keeps the producer's time. */
  readonly appendedAtMs: number
}

/** Encodes the body of Produce v7 (acks=all, no transaction) for one topic, in parts: the batches are not copied. */
export function encodeProduce(o: {
  readonly topic: string
  readonly timeoutMs: number
  readonly batches: readonly PartitionBatch[]
}): readonly Buffer[] {
  const topicBytes = Buffer.byteLength(o.topic)
  const headBytes = 2 + 2 + 4 + 4 + 2 + topicBytes + 4
  const heads = Buffer.allocUnsafe(headBytes + o.batches.length * PARTITION_HEAD_BYTES)
  let at = heads.writeInt16BE(-1, 0)
  at = heads.writeInt16BE(-1, at)
  at = heads.writeInt32BE(o.timeoutMs, at)
  at = heads.writeInt32BE(1, at)
  at = heads.writeInt16BE(topicBytes, at)
  at += heads.write(o.topic, at)
  at = heads.writeInt32BE(o.batches.length, at)
  const parts: Buffer[] = []
  let from = 0
  for (const { partition, batch } of o.batches) {
    at = heads.writeInt32BE(partition, at)
    at = heads.writeInt32BE(batch.length, at)
    parts.push(heads.subarray(from, at), batch)
    from = at
  }
  return parts
}

/** Number of the partition, and length of its batch. */
const PARTITION_HEAD_BYTES = 8

/** Decodes the answer to a Produce v7 for one topic. */
export function decodeProduced(data: Buffer): readonly PartitionProduced[] {
  const produced: PartitionProduced[] = []
  let at = 4
  for (let topics = data.readInt32BE(0); topics > 0; topics -= 1) {
    at += 2 + data.readInt16BE(at)
    let partitions = data.readInt32BE(at)
    at += 4
    for (; partitions > 0; partitions -= 1) {
      const code = data.readInt16BE(at + 4)
      produced.push({
        partition: data.readInt32BE(at),
        code: code === 0 ? 'NONE' : errorName(code),
        baseOffset: Number(data.readBigInt64BE(at + 6)),
        appendedAtMs: Number(data.readBigInt64BE(at + 14)),
      })
      at += 30
    }
  }
  return produced
}
