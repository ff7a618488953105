import { sleep } from '@ariftly/async'
import {
  identityFault,
  isSameLog,
  kafkaFault,
  partitionCountFault,
  readTopic,
  type KafkaClient,
  type TopicSummary,
} from '@ariftly/kafka'
import type { LogEpoch } from '@ariftly/store/projection'

/** How long after the first sight of a log that does not fit it is looked at again. */
const SECOND_LOOK_MS = 1_000

/** The log that is expected. */
export interface ExpectedLog {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly partitions: number
  readonly epoch: LogEpoch
}

/**
 * Checks that the topic is that of the epoch: the same Kafka cluster and topic id, the configured number of partitions. What does not fit
 * is believed at the second of two looks that agree. Rejects with fault `log_identity_changed`, `partition_count_changed`,
 * or what keeps Kafka from being asked.
 */
export async function checkLog(o: ExpectedLog, signal?: AbortSignal): Promise<void> {
  const first = await readTopic(o.kafka, o.topic)
  if (faultOf(first, o) === undefined) return
  await sleep(SECOND_LOOK_MS, signal)
  const second = await readTopic(o.kafka, o.topic)
  const fault = faultOf(second, o)
  if (fault === undefined) return
  if (isSameLog(first, second)) throw fault
  throw kafkaFault('kafka_unavailable', `Topic ${o.topic} is another one at each look: ${fault.message}`)
}

function faultOf(found: TopicSummary, { topic, partitions, epoch }: ExpectedLog) {
  if (!isSameLog(epoch, found)) return identityFault(topic, epoch, found)
  return found.partitionCount === partitions ? undefined : partitionCountFault(topic, partitions, found.partitionCount)
}
