import type { BrokerRequest } from './broker-request.ts'
import { errorName } from './error-name.ts'
import type { WireReader } from './reader.ts'
import type { TopicName, WireWriter } from './writer.ts'

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

/** What one broker is to write. */
export interface ProduceOrder extends TopicName {
  readonly timeoutMs: number
  readonly batches: readonly PartitionBatch[]
}

/**
 * Produce (acks=all, no transaction) for one topic: v13, which names it by its id, so that a topic that was made again is not
 * written to; to brokers before Kafka 4.1 v7. Source: Kafka protocol guide.
 */
export function produceRequest(order: ProduceOrder): BrokerRequest<readonly PartitionProduced[]> {
  return {
    apiKey: 0,
    apiName: 'Produce',
    version: 7,
    flexibleVersion: 13,
    write: (to) => write(to, order),
    read: (from) => from.partitions(() => readPartition(from)),
  }
}

function write(to: WireWriter, order: ProduceOrder): void {
  to.string(null) // transactional_id
  to.int16(ACKS_ALL)
  to.int32(order.timeoutMs)
  to.partitions(order, order.batches, ({ partition, batch }) => {
    to.int32(partition)
    to.bytes(batch)
    to.tags()
  })
  to.tags()
}

function readPartition(from: WireReader): PartitionProduced {
  const partition = from.int32()
  const errorCode = from.int16()
  const baseOffset = from.int64()
  const appendedAtMs = from.int64()
  from.int64() // log_start_offset
  if (from.isFlexible) {
    from.array(() => {
      from.int32() // batch_index
      from.string() // batch_index_error_message
      from.tags()
    })
    from.string() // error_message
    from.tags()
  }
  return { partition, code: errorCode === 0 ? 'NONE' : errorName(errorCode), baseOffset, appendedAtMs }
}
