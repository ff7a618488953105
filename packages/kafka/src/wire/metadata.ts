import { WireReader } from './reader.ts'

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
  /** Node ids of the in-sync replicas. */
  readonly inSync: readonly number[]
}

/** What the brokers say about a topic. */
export interface TopicMetadata {
  readonly clusterId: string
  /** The brokers that are not fenced, by node id. */
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  /** 0, or the error code of the topic as a whole. */
  readonly errorCode: number
  /** In order of `partition`. An error of one partition is data: it then has no leader. */
  readonly partitions: readonly PartitionMetadata[]
}

/** Encodes a Metadata v5 for one topic, which is not created by it. Source: Kafka protocol guide. */
export function encodeMetadata(topic: string): Buffer {
  const name = Buffer.from(topic)
  const body = Buffer.alloc(4 + 2 + name.length + 1)
  body.writeInt32BE(1, 0)
  body.writeInt16BE(name.length, 4)
  name.copy(body, 6)
  return body // allow_auto_topic_creation: false
}

/** Decodes the answer to a Metadata v5 for one topic. */
export function decodeMetadata(data: Buffer): TopicMetadata {
  const read = new WireReader(data)
  read.int32() // throttle_time_ms
  const brokers = read.array(() => {
    const nodeId = read.int32()
    const address = { host: read.string() ?? '', port: read.int32() }
    read.string() // rack
    return [nodeId, address] as const
  })
  const clusterId = read.string() ?? ''
  read.int32() // controller_id
  const [topic] = read.array(() => {
    const errorCode = read.int16()
    read.string() // name
    read.int8() // is_internal
    return { errorCode, partitions: read.array(() => readPartition(read)) }
  })
  const partitions = (topic?.partitions ?? []).toSorted((a, b) => a.partition - b.partition)
  return { clusterId, brokers: new Map(brokers), errorCode: topic?.errorCode ?? 0, partitions }
}

function readPartition(read: WireReader): PartitionMetadata {
  read.int16() // error_code: LEADER_NOT_AVAILABLE says the same as the leader -1, REPLICA_NOT_AVAILABLE is harmless
  const partition = read.int32()
  const leader = read.int32()
  read.array(() => read.int32()) // replica_nodes
  const inSync = read.array(() => read.int32())
  read.array(() => read.int32()) // offline_replicas
  return { partition, leader, inSync }
}
