import type { BrokerRequest } from '../send-request.ts'
import { errorName } from './error-name.ts'
import { WireReader } from './reader.ts'
import { writeUnsignedVarint } from './varint.ts'

const ACKS_ALL = -1

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

export interface ProduceOrder {
  readonly topic: string
  /** Null when it is not known. */
  readonly topicId: string | null
  readonly timeoutMs: number
  readonly batches: readonly PartitionBatch[]
}

/**
 * Produce (acks=all, no transaction) for one topic: v13, which names it by its id, so that a topic that was made again is not
 * written to; to brokers before Kafka 4.1, or without an id, v7. Source: Kafka protocol guide.
 */
export function produceRequest(o: ProduceOrder): BrokerRequest<readonly PartitionProduced[]> {
  const { topicId } = o
  const both = { apiKey: 0, apiName: 'Produce' }
  const byName = (): BrokerRequest<readonly PartitionProduced[]> => ({
    ...both,
    apiVersion: 7,
    body: encodeByName(o),
    decode: (data) => decode(new WireReader(data)),
  })
  if (topicId === null) return byName()
  return {
    ...both,
    apiVersion: 13,
    isFlexible: true,
    body: encodeById({ ...o, topicId }),
    decode: (data) => decode(new WireReader(data, { isFlexible: true })),
    fallback: byName,
  }
}

/** In parts: the batches are not copied. */
function encodeByName({ topic, timeoutMs, batches }: ProduceOrder): readonly Buffer[] {
  const topicBytes = Buffer.byteLength(topic)
  const heads = Buffer.allocUnsafe(2 + 2 + 4 + 4 + 2 + topicBytes + 4 + batches.length * (4 + 4))
  let at = heads.writeInt16BE(-1, 0)
  at = heads.writeInt16BE(ACKS_ALL, at)
  at = heads.writeInt32BE(timeoutMs, at)
  at = heads.writeInt32BE(1, at)
  at = heads.writeInt16BE(topicBytes, at)
  at += heads.write(topic, at)
  at = heads.writeInt32BE(batches.length, at)
  const parts: Buffer[] = []
  let from = 0
  for (const { partition, batch } of batches) {
    at = heads.writeInt32BE(partition, at)
    at = heads.writeInt32BE(batch.length, at)
    parts.push(heads.subarray(from, at), batch)
    from = at
  }
  return parts
}

function encodeById({ topicId, timeoutMs, batches }: ProduceOrder & { readonly topicId: string }): readonly Buffer[] {
  const heads = Buffer.alloc(1 + 2 + 4 + 1 + 16 + 5 + batches.length * (4 + 5 + 1) + 1 + 1)
  let at = heads.writeInt16BE(ACKS_ALL, 1) // after no transactional_id: zero
  at = heads.writeInt32BE(timeoutMs, at)
  at = heads.writeUInt8(1 + 1, at) // one topic
  at += heads.write(topicId, at, 'base64url')
  at = writeUnsignedVarint(heads, at, batches.length + 1)
  const parts: Buffer[] = []
  let from = 0
  for (const { partition, batch } of batches) {
    at = heads.writeInt32BE(partition, at)
    at = writeUnsignedVarint(heads, at, batch.length + 1)
    parts.push(heads.subarray(from, at), batch)
    from = at
    at += 1 // no tagged fields of the partition: zero
  }
  parts.push(heads.subarray(from, at + 2)) // nor of the topic, nor of the request
  return parts
}

function decode(read: WireReader): readonly PartitionProduced[] {
  read.tags() // of the header
  return read.partitions(() => decodePartition(read))
}

function decodePartition(read: WireReader): PartitionProduced {
  const partition = read.int32()
  const errorCode = read.int16()
  const baseOffset = read.int64()
  const appendedAtMs = read.int64()
  read.int64() // log_start_offset
  if (read.isFlexible) {
    read.array(() => {
      read.int32() // batch_index
      read.string() // batch_index_error_message
      read.tags()
    })
    read.string() // error_message
    read.tags()
  }
  return { partition, code: errorCode === 0 ? 'NONE' : errorName(errorCode), baseOffset, appendedAtMs }
}
