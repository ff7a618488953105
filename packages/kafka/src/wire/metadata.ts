import type { LogIdentity } from '../log-identity.ts'
import type { BrokerRequest } from '../send-request.ts'
import { WireReader } from './reader.ts'
import { writeUnsignedVarint } from './varint.ts'

/** Where a broker is reached. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** One partition of a topic as the cluster sees it. */
export interface PartitionMetadata {
  readonly partition: number
  /** Node id of the leader; -1 while the partition has none. */
  readonly leader: number
}

/** What the brokers say about a topic. */
export interface TopicMetadata extends LogIdentity {
  /** The brokers that are not fenced, by node id. */
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  /** 0, or the error code of the topic as a whole. */
  readonly errorCode: number
  /** In order of `partition`. An error of one partition is data: it then has no leader. */
  readonly partitions: readonly PartitionMetadata[]
}

/**
 * Metadata for one topic, which is not created by it: v10 (flexible, with the topic's id), of brokers before Kafka 2.8 v5.
 * Source: Kafka protocol guide.
 */
export function metadataRequest(topic: string): BrokerRequest<TopicMetadata> {
  const both = { apiKey: 3, apiName: 'Metadata' }
  return {
    ...both,
    apiVersion: 10,
    isFlexible: true,
    body: [encodeFlexible(topic)],
    decode: (data) => decode(new WireReader(data, { isFlexible: true })),
    fallback: () => ({ ...both, apiVersion: 5, body: [encode(topic)], decode: (data) => decode(new WireReader(data)) }),
  }
}

function encode(topic: string): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.alloc(4 + 2 + name.length + 1)
  body.writeInt32BE(1, 0)
  body.writeInt16BE(name.length, 4)
  name.copy(body, 6)
  return body // allow_auto_topic_creation: false
}

function encodeFlexible(topic: string): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.alloc(1 + 16 + 5 + name.length + 1 + 3 + 1)
  body.writeUInt8(1 + 1, 0) // one topic, by name: its id is zeros
  const at = writeUnsignedVarint(body, 1 + 16, name.length + 1)
  const end = at + name.copy(body, at)
  // No tagged fields of the topic, no creation, none of the two lists of operations, no tagged fields: zeros.
  return body.subarray(0, end + 1 + 3 + 1)
}

function decode(read: WireReader): TopicMetadata {
  const { isFlexible } = read
  read.tags() // of the header
  read.int32() // throttle_time_ms
  const brokers = read.array(() => {
    const nodeId = read.int32()
    const address = { host: read.string() ?? '', port: read.int32() }
    read.string() // rack
    read.tags()
    return [nodeId, address] as const
  })
  const clusterId = read.string() ?? ''
  read.int32() // controller_id
  const [topic] = read.array(() => {
    const errorCode = read.int16()
    read.string() // name
    const topicId = isFlexible ? read.uuid() : null
    read.int8() // is_internal
    const partitions = read.array(() => decodePartition(read))
    if (isFlexible) read.int32() // topic_authorized_operations
    read.tags()
    return { errorCode, topicId, partitions }
  })
  const { errorCode = 0, topicId = null, partitions = [] } = topic ?? {}
  const inOrder = partitions.toSorted((a, b) => a.partition - b.partition)
  return { clusterId, topicId, brokers: new Map(brokers), errorCode, partitions: inOrder }
}

function decodePartition(read: WireReader): PartitionMetadata {
  read.int16() // error_code: LEADER_NOT_AVAILABLE says the same as the leader -1, REPLICA_NOT_AVAILABLE is harmless
  const partition = read.int32()
  const leader = read.int32()
  if (read.isFlexible) read.int32() // leader_epoch
  read.array(() => read.int32()) // replica_nodes
  read.array(() => read.int32()) // isr_nodes
  read.array(() => read.int32()) // offline_replicas
  read.tags()
  return { partition, leader }
}
