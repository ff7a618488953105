import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaClient } from './client.ts'
import { describeLog, partitionCountFault } from './describe-log.ts'
import { Fault } from '@ariftly/fault'

export interface TopicsOptions {
  readonly topic: string
  readonly dlqTopic: string
  /** Number of partitions of the topic of events, for ever. */
  readonly partitions: number
  /** Copies of each partition; from 3 on, two must be in sync for a write to be acknowledged. */
  readonly replication: number
}

/** How large a batch of records the topic takes, bytes; Kafka's own default. An event has at most 256 KiB of data. */
const MESSAGE_BYTES_MAX = 1_048_588
/** A dead letter carries a few headers more than its record. */
const DLQ_EXTRA_BYTES = 64 * 1024
const RETENTION_MS = 7 * 24 * 60 * 60 * 1_000
const DLQ_PARTITIONS = 1
const SERVED_AFTER_MS = 30_000
const SERVED_POLL_MS = 50

/**
 * Creates the topic of events and that of dead letters where they lack, with the settings of design 4.3. Idempotent; the
 * only creator of topics. Fault `partition_count_changed` when the topic stands with another number of partitions.
 */
export async function createTopics(client: KafkaClient, o: TopicsOptions): Promise<void> {
  const replicationFactor = o.replication
  await client.withAdmin((admin) =>
    admin.createTopics({
      // kafkajs waits for leaders without patience: a topic that no broker knows yet is an error to it.
      waitForLeaders: false,
      timeout: 30_000,
      topics: [
        {
          topic: o.topic,
          numPartitions: o.partitions,
          replicationFactor,
          configEntries: settings(o.replication, MESSAGE_BYTES_MAX),
        },
        {
          topic: o.dlqTopic,
          numPartitions: DLQ_PARTITIONS,
          replicationFactor,
          configEntries: settings(o.replication, MESSAGE_BYTES_MAX + DLQ_EXTRA_BYTES),
        },
      ],
    }),
  )
  await untilServed(client, o.topic, o.partitions)
  await untilServed(client, o.dlqTopic, DLQ_PARTITIONS)
}

/** What was created is known to the brokers, and led by one, a moment later. */
async function untilServed(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  for (let leftMs = SERVED_AFTER_MS; ; leftMs -= SERVED_POLL_MS) {
    try {
      const found = (await describeLog(client, topic)).partitions.length
      if (found !== partitions) throw partitionCountFault(topic, partitions, found)
      return
    } catch (error) {
      if (leftMs <= 0 || !(error instanceof Fault) || !error.retryable) throw error
      await delay(SERVED_POLL_MS)
    }
  }
}

function settings(replication: number, messageBytesMax: number): { name: string; value: string }[] {
  return Object.entries({
    'cleanup.policy': 'delete',
    'retention.ms': String(RETENTION_MS),
    'message.timestamp.type': 'LogAppendTime',
    // Never `producer`: one producer with zstd would stop every consumer that cannot read it.
    'compression.type': 'uncompressed',
    'max.message.bytes': String(messageBytesMax),
    ...(replication >= 3 ? { 'min.insync.replicas': '2' } : {}),
  }).map(([name, value]) => ({ name, value }))
}
