import type { BrokerRequest } from './broker-request.ts'
import type { WireReader } from './reader.ts'
import type { TopicName, WireWriter } from './writer.ts'

const OFFSET_OUT_OF_RANGE = 1
const READ_COMMITTED = 1
const NO_REPLICA = -1
const NO_SESSION_EPOCH = -1
const UNKNOWN = -1

/** Where to read a partition from. */
interface FetchPlace {
  readonly partition: number
  readonly offset: number
  /** A broker with another epoch answers with an error: it or the sender has missed an election. -1: not checked. */
  readonly leaderEpoch: number
}

/** What to fetch of one broker. */
export interface FetchOrder extends TopicName {
  /** Filled in this order while there is room: partitions that got nothing last time should be first. */
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

/** A transaction whose records are not to be shown. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** The answer to a fetch. */
export interface Fetched {
  /** 0, or the broker's error code for the whole request. */
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/**
 * Fetch v13 of committed records of one topic, outside of any fetch session. It names the topic by its id, so that a topic that was
 * made again is not read. Source: Kafka protocol guide.
 */
export function fetchRequest(order: FetchOrder): BrokerRequest<Fetched> {
  return {
    apiKey: 1,
    apiName: 'Fetch',
    version: 13,
    flexibleVersion: 13,
    write: (to) => write(to, order),
    read,
  }
}

function write(to: WireWriter, order: FetchOrder): void {
  to.int32(NO_REPLICA)
  to.int32(order.maxWaitMs)
  to.int32(1) // min_bytes
  to.int32(order.bytesMax)
  to.int8(READ_COMMITTED)
  to.int32(0) // session_id
  to.int32(NO_SESSION_EPOCH)
  to.partitions(order, order.places, ({ partition, offset, leaderEpoch }) => {
    to.int32(partition)
    to.int32(leaderEpoch) // current_leader_epoch
    to.int64(offset)
    to.int32(UNKNOWN) // last_fetched_epoch
    to.int64(UNKNOWN) // log_start_offset
    to.int32(order.bytesPerPartitionMax)
    to.tags()
  })
  to.array([], () => {}) // forgotten topics
  to.string('') // rack
  to.tags()
}

function read(from: WireReader): Fetched {
  from.int32() // throttle_time_ms
  const errorCode = from.int16()
  from.int32() // session_id
  return { errorCode, partitions: from.partitions(() => readPartition(from)) }
}

function readPartition(from: WireReader): FetchedPartition {
  const partition = from.int32()
  const errorCode = from.int16()
  const highWatermark = from.int64()
  from.int64() // last_stable_offset
  const logStart = from.int64()
  const aborted = from.array(() => {
    const transaction = { producerId: from.bigint64(), firstOffset: from.int64() }
    from.tags()
    return transaction
  })
  from.int32() // preferred_read_replica
  const batches = from.bytes()
  from.tags()
  const outOfRange = errorCode === OFFSET_OUT_OF_RANGE
  return { partition, errorCode, outOfRange, highWatermark, logStart, aborted, batches }
}
