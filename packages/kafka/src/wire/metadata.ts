import type { LogIdentity } from '../log-identity.ts'
import type { BrokerRequest } from './broker-request.ts'
import type { WireReader } from './reader.ts'
import type { WireWriter } from './writer.ts'

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
  /** Rises with each election of a leader. KIP-101, KIP-320. */
  readonly leaderEpoch: number
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

/** Metadata v10 (with the topic's id, KIP-516) for one topic, which is not created by it. Source: Kafka protocol guide. */
export function metadataRequest(topic: string): BrokerRequest<TopicMetadata> {
  return {
    apiKey: 3,
    apiName: 'Metadata',
    version: 10,
    flexibleVersion: 10,
    write: (to) => write(to, topic),
    read,
  }
}

function write(to: WireWriter, topic: string): void {
  to.array([topic], (name) => {
    to.uuid(null)
    to.string(name)
    to.tags()
  })
  to.int8(0) // allow_auto_topic_creation
  to.int8(0) // include_cluster_authorized_operations
  to.int8(0) // include_topic_authorized_operations
  to.tags()
}

function read(from: WireReader): TopicMetadata {
  from.int32() // throttle_time_ms
  const brokers = from.array(() => {
    const nodeId = from.int32()
    const address = { host: from.string() ?? '', port: from.int32() }
    from.string() // rack
    from.tags()
    return [nodeId, address] as const
  })
  const clusterId = from.string() ?? ''
  from.int32() // controller_id
  const [topic] = from.array(() => {
    const errorCode = from.int16()
    from.string() // name
    const topicId = from.uuid() ?? ''
    from.int8() // is_internal
    const partitions = from.array(() => readPartition(from))
    from.int32() // topic_authorized_operations
    from.tags()
    return { errorCode, topicId, partitions }
  })
  const { errorCode = 0, topicId = '', partitions = [] } = topic ?? {}
  const inOrder = partitions.toSorted((a, b) => a.partition - b.partition)
  return { clusterId, topicId, brokers: new Map(brokers), errorCode, partitions: inOrder }
}

function readPartition(from: WireReader): PartitionMetadata {
  from.int16() // error_code: LEADER_NOT_AVAILABLE says the same as the leader -1, REPLICA_NOT_AVAILABLE is harmless
  const partition = from.int32()
  const leader = from.int32()
  const leaderEpoch = from.int32()
  from.array(() => from.int32()) // replica_nodes
  from.array(() => from.int32()) // isr_nodes
  from.array(() => from.int32()) // offline_replicas
  from.tags()
  return { partition, leader, leaderEpoch }
}
