import type { KafkaClient } from './client.ts'
import type { InternalCluster } from './internals.ts'
import { Fault } from '@ariftly/fault'
import { kafkaFault } from './kafka-fault.ts'
import { withTimeout } from '@ariftly/async'

const ANSWER_MS = 10_000

export interface LogPartition {
  readonly partition: number
  /** Offset of the oldest record that the log still has (or would have: equal to `logEnd` when empty). */
  readonly logStart: number
  /** Offset that the next record will get (high watermark). */
  readonly logEnd: number
}

export interface LogDescription {
  readonly clusterId: string
  readonly partitionCount: number
  /** In order of `partition`. */
  readonly partitions: readonly LogPartition[]
}

/**
 * Reads the cluster's id, and where each partition begins and ends, or each of `some`: a partition without a leader holds up
 * only who asks for it. Faults `topic_missing` and `kafka_unavailable`.
 */
export async function describeLog(
  client: KafkaClient,
  topic: string,
  some?: readonly number[],
): Promise<LogDescription> {
  return attended(client, topic, async (cluster) => {
    const { clusterId, partitions: all } = await readMetadata(cluster, topic)
    const partitions = some === undefined ? all : all.filter((partition) => some.includes(partition))
    const wanted = partitions.map((partition) => ({ partition }))
    const [starts, ends] = await Promise.all([
      readOffsets(cluster, topic, wanted, true),
      readOffsets(cluster, topic, wanted, false),
    ])
    return {
      clusterId,
      partitionCount: all.length,
      partitions: partitions.map((partition) => ({
        partition,
        logStart: known(starts, partition),
        logEnd: known(ends, partition),
      })),
    }
  })
}

/** Fault `partition_count_changed` unless the topic has exactly `expected` partitions; also the faults of `describeLog`. */
export async function checkPartitionCount(client: KafkaClient, topic: string, expected: number): Promise<void> {
  const { partitions } = await attended(client, topic, (cluster) => readMetadata(cluster, topic))
  if (partitions.length !== expected) throw partitionCountFault(topic, expected, partitions.length)
}

export function partitionCountFault(topic: string, expected: number, found: number): Fault {
  return kafkaFault(
    'partition_count_changed',
    `Topic ${topic} has ${found} partitions, ${expected} are configured; the count is fixed (more means a new topic).`,
    { detail: { topic, expected, found } },
  )
}

interface TopicMetadata {
  readonly clusterId: string
  readonly partitions: readonly number[]
}

/** Fresh from a broker, not from a cache. */
async function readMetadata(cluster: InternalCluster, topic: string): Promise<TopicMetadata> {
  const broker = await cluster.brokerPool.findConnectedBroker()
  const { clusterId, topicMetadata } = await broker.metadata([topic])
  const partitions = topicMetadata.find((entry) => entry.topic === topic)?.partitionMetadata ?? []
  if (partitions.length === 0) throw kafkaFault('topic_missing', `Topic ${topic} does not exist.`)
  return { clusterId, partitions: partitions.map(({ partitionId }) => partitionId).toSorted((a, b) => a - b) }
}

async function readOffsets(
  cluster: InternalCluster,
  topic: string,
  partitions: readonly { readonly partition: number }[],
  fromBeginning: boolean,
): Promise<ReadonlyMap<number, number>> {
  const answers = await cluster.fetchTopicsOffset([{ topic, fromBeginning, partitions }])
  return new Map(
    answers.flatMap((answer) => answer.partitions).map(({ partition, offset }) => [partition, Number(offset)]),
  )
}

function known(offsets: ReadonlyMap<number, number>, partition: number): number {
  const offset = offsets.get(partition)
  if (offset === undefined || offset < 0 || !Number.isSafeInteger(offset)) {
    throw kafkaFault('kafka_unavailable', `The broker gave no offset for partition ${partition}.`)
  }
  return offset
}

/** Asks with fresh metadata. What fails for another reason than the log itself costs the connection. */
async function attended<T>(
  client: KafkaClient,
  topic: string,
  ask: (cluster: InternalCluster) => Promise<T>,
): Promise<T> {
  const connection = client.topicCluster(topic)
  let cluster: InternalCluster | undefined
  try {
    cluster = await connection.refreshed()
    return await withTimeout(ask(cluster), ANSWER_MS)
  } catch (error) {
    if (error instanceof Fault) throw error
    if (cluster !== undefined) connection.discard(cluster)
    const type = error instanceof Error && 'type' in error ? error.type : undefined
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') throw kafkaFault('topic_missing', `Topic ${topic} does not exist.`)
    const message = error instanceof Error ? error.message : String(error)
    throw kafkaFault('kafka_unavailable', `Kafka cannot be asked about ${topic}: ${message}`, { cause: error })
  }
}
