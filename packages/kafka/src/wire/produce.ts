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

/** Encodes the body of Produce v7 (acks=all, no transaction) for one topic. */
export function encodeProduce(o: {
  readonly topic: string
  readonly timeoutMs: number
  readonly batches: readonly PartitionBatch[]
}): Buffer {
  const topicBytes = Buffer.byteLength(o.topic)
  const size = 2 + 2 + 4 + 4 + 2 + topicBytes + 4 + o.batches.reduce((sum, { batch }) => sum + 8 + batch.length, 0)
  const body = Buffer.allocUnsafe(size)
  let at = body.writeInt16BE(-1, 0)
  at = body.writeInt16BE(-1, at)
  at = body.writeInt32BE(o.timeoutMs, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt16BE(topicBytes, at)
  at += body.write(o.topic, at)
  at = body.writeInt32BE(o.batches.length, at)
  for (const { partition, batch } of o.batches) {
    at = body.writeInt32BE(partition, at)
    at = body.writeInt32BE(batch.length, at)
    at += batch.copy(body, at)
  }
  return body
}

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
