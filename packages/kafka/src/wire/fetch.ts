import type { BrokerRequest } from '../send-request.ts'
import { WireReader } from './reader.ts'
import { writeUnsignedVarint } from './varint.ts'

const OFFSET_OUT_OF_RANGE = 1
const READ_COMMITTED = 1
const NO_REPLICA = -1
const NO_SESSION_EPOCH = -1
const UNKNOWN = -1
const HEAD_BYTES = 4 * 4 + 1 + 2 * 4

/** Where to read a partition from. */
interface FetchPlace {
  readonly partition: number
  readonly offset: number
}

export interface FetchOrder {
  readonly topic: string
  /** Null when it is not known. */
  readonly topicId: string | null
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

export interface Fetched {
  /** 0, or the broker's error code for the whole. */
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/**
 * Fetch of committed records of one topic, outside of any fetch session: v13, which names it by its id, so that a topic that was
 * made again is not read; to brokers before Kafka 3.1, or without an id, v11. Source: Kafka protocol guide.
 */
export function fetchRequest(order: FetchOrder): BrokerRequest<Fetched> {
  const both = { apiKey: 1, apiName: 'Fetch' }
  const byName = (): BrokerRequest<Fetched> => ({
    ...both,
    apiVersion: 11,
    body: [encodeByName(order)],
    decode: (data) => decode(new WireReader(data)),
  })
  if (order.topicId === null) return byName()
  return {
    ...both,
    apiVersion: 13,
    isFlexible: true,
    body: [encodeById(order, order.topicId)],
    decode: (data) => decode(new WireReader(data, { isFlexible: true })),
    fallback: byName,
  }
}

function encodeByName(order: FetchOrder): Buffer {
  const { topic, places, bytesPerPartitionMax } = order
  const topicBytes = Buffer.byteLength(topic)
  const body = Buffer.alloc(HEAD_BYTES + 4 + 2 + topicBytes + 4 + places.length * (4 + 4 + 8 + 8 + 4) + 4 + 2)
  let at = body.writeInt32BE(1, writeHead(body, order)) // one topic
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

function encodeById(order: FetchOrder, topicId: string): Buffer {
  const { places, bytesPerPartitionMax } = order
  const body = Buffer.alloc(HEAD_BYTES + 1 + 16 + 5 + places.length * (4 + 4 + 8 + 4 + 8 + 4 + 1) + 1 + 1 + 1 + 1)
  let at = body.writeUInt8(1 + 1, writeHead(body, order)) // one topic
  at += body.write(topicId, at, 'base64url')
  at = writeUnsignedVarint(body, at, places.length + 1)
  for (const { partition, offset } of places) {
    at = body.writeInt32BE(partition, at)
    at = body.writeInt32BE(UNKNOWN, at) // current_leader_epoch
    at = body.writeBigInt64BE(BigInt(offset), at)
    at = body.writeInt32BE(UNKNOWN, at) // last_fetched_epoch
    at = body.writeBigInt64BE(BigInt(UNKNOWN), at) // log_start_offset
    at = body.writeInt32BE(bytesPerPartitionMax, at)
    at += 1 // no tagged fields: zero
  }
  at = body.writeUInt8(0, at) // no tagged fields of the topic
  at = body.writeUInt8(0 + 1, at) // no forgotten topics
  at = body.writeUInt8(0 + 1, at) // no rack
  return body.subarray(0, at + 1)
}

function writeHead(body: Buffer, { maxWaitMs, bytesMax }: FetchOrder): number {
  let at = body.writeInt32BE(NO_REPLICA, 0)
  at = body.writeInt32BE(maxWaitMs, at)
  at = body.writeInt32BE(1, at) // min_bytes
  at = body.writeInt32BE(bytesMax, at)
  at = body.writeInt8(READ_COMMITTED, at)
  at = body.writeInt32BE(0, at) // session_id
  return body.writeInt32BE(NO_SESSION_EPOCH, at)
}

function decode(read: WireReader): Fetched {
  read.tags() // of the header
  read.int32() // throttle_time_ms
  const errorCode = read.int16()
  read.int32() // session_id
  return { errorCode, partitions: read.partitions(() => decodePartition(read)) }
}

function decodePartition(read: WireReader): FetchedPartition {
  const partition = read.int32()
  const errorCode = read.int16()
  const highWatermark = read.int64()
  read.int64() // last_stable_offset
  const logStart = read.int64()
  const aborted = read.array(() => {
    const transaction = { producerId: read.bigint64(), firstOffset: read.int64() }
    read.tags()
    return transaction
  })
  read.int32() // preferred_read_replica
  const batches = read.bytes()
  read.tags()
  const outOfRange = errorCode === OFFSET_OUT_OF_RANGE
  return { partition, errorCode, outOfRange, highWatermark, logStart, aborted, batches }
}
