import type { KafkaClient } from '../cluster/client.ts'
import { groupBy } from '../group-by.ts'
import { brokerFault, kafkaFault, toKafkaFault } from '../kafka-fault.ts'
import type { LogIdentity } from '../log-identity.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'
import { errorName } from '../wire/error-name.ts'
import { EARLIEST, LATEST, listOffsetsRequest } from '../wire/list-offsets.ts'
import type { PartitionMetadata } from '../wire/metadata.ts'

const ANSWER_MS = 5_000

/** How far a partition reaches. */
export interface LogPartition {
  readonly partition: number
  /** Offset of the oldest record that the log still has (or would have: equal to `logEnd` when empty). */
  readonly logStart: number
  /** Offset that the next record will get (high watermark). */
  readonly logEnd: number
}

/** Which log a topic is, and how far its partitions reach. */
export interface LogDescription extends LogIdentity {
  readonly partitionCount: number
  /** In order of `partition`. */
  readonly partitions: readonly LogPartition[]
}

/** As `LogDescription`, where partitions that cannot be asked about now are left out. */
export interface PartialLogDescription extends LogDescription {
  /** The partitions left out, and why: they have no leader, or it does not answer. */
  readonly unavailable: ReadonlyMap<number, Error>
}

/**
 * Reads which log this is, and where each partition begins and ends, or each of `some` (which may be none). Faults `topic_missing`, and
 * `kafka_unavailable` when one of these partitions cannot be asked about.
 */
export async function describeLog(
  client: KafkaClient,
  topic: string,
  some?: readonly number[],
): Promise<LogDescription> {
  const { unavailable, ...described } = await describeAvailable(client, topic, some)
  for (const [partition, error] of unavailable) {
    throw kafkaFault('kafka_unavailable', `Partition ${topic}/${partition} cannot be read: ${error.message}`, {
      cause: error,
    })
  }
  return described
}

/** As `describeLog`, but a partition that cannot be asked about holds up only itself. */
export async function describeAvailable(
  client: KafkaClient,
  topic: string,
  some?: readonly number[],
): Promise<PartialLogDescription> {
  const cluster = client.topicCluster(topic)
  try {
    const { clusterId, topicId, partitions: all } = await cluster.refreshed()
    const wanted = some === undefined ? all : all.filter(({ partition }) => some.includes(partition))
    const led = groupBy(wanted, ({ leader }) => leader)
    const found = (await Promise.all(led.map(([leader, group]) => readBounds(cluster, topic, leader, group)))).flat()
    return {
      clusterId,
      topicId,
      partitionCount: all.length,
      partitions: found
        .flatMap((each) => ('error' in each ? [] : [each]))
        .toSorted((a, b) => a.partition - b.partition),
      unavailable: new Map(found.flatMap((each) => ('error' in each ? [[each.partition, each.error]] : []))),
    }
  } catch (error) {
    throw toKafkaFault(error, topic)
  }
}

interface Unavailable {
  readonly partition: number
  readonly error: Error
}

/** The bounds of partitions that one broker leads. Never rejects. */
async function readBounds(
  cluster: TopicCluster,
  topic: string,
  leader: number,
  led: readonly PartitionMetadata[],
): Promise<readonly (LogPartition | Unavailable)[]> {
  const partitions = led.map(({ partition }) => partition)
  try {
    if (leader < 0) throw kafkaFault('kafka_unavailable', 'It has no leader.')
    const [starts, ends] = await Promise.all(
      ([EARLIEST, LATEST] as const).map((timestamp) => {
        const request = listOffsetsRequest({ topic, partitions, timestamp })
        return cluster.send(leader, request, { channel: 'main', timeoutMs: ANSWER_MS, partitions })
      }),
    )
    return partitions.map((partition) => {
      const start = starts?.find((each) => each.partition === partition)
      const end = ends?.find((each) => each.partition === partition)
      const errorCode = start?.errorCode || end?.errorCode || 0
      cluster.noteError(partition, errorName(errorCode))
      const isKnown =
        errorCode === 0 && start !== undefined && end !== undefined && start.offset >= 0 && end.offset >= 0
      if (!isKnown) return { partition, error: brokerFault(errorCode) }
      return { partition, logStart: start.offset, logEnd: end.offset }
    })
  } catch (cause) {
    const error = toKafkaFault(cause, topic)
    return partitions.map((partition) => ({ partition, error }))
  }
}
