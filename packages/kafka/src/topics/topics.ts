import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '@ariftly/fault'
import { types } from 'node:util'
import { checkTopic, type ExpectedTopic, type TopicFinding } from './check-topic.ts'
import type { KafkaClient } from '../cluster/client.ts'
import { describeLog } from './describe-log.ts'
import { logFault } from '../log-identity.ts'
import { topicSettings } from './topic-settings.ts'

/** The two topics of the services. */
export interface TopicsOptions {
  readonly topic: string
  readonly dlqTopic: string
  /** Number of partitions of the topic of events; it never changes. */
  readonly partitions: number
  /** Replicas of each partition; from 3 on, two must be in sync for a write to be acknowledged. */
  readonly replication: number
  /** How long both topics keep a record, milliseconds; default 7 days. */
  readonly retentionMs?: number
}

/** The largest batch of records, bytes; Kafka's own default. An event has at most 256 KiB of data. */
const MESSAGE_BYTES_MAX = 1_048_588
/** A dead letter carries a few headers more than its record. */
const DLQ_EXTRA_BYTES = 64 * 1024
const DLQ_PARTITIONS = 1
const RETENTION_MS = 7 * 24 * 60 * 60 * 1_000
const SERVED_AFTER_MS = 30_000
const SERVED_POLL_MS = 50

/**
 * Creates the topics of events and of dead letters if they are missing. Idempotent, and the only creator of topics. Existing
 * topics are not changed, and need no right to create. A managed Kafka that refuses `compression.type` gets topics without it.
 * @throws Fault `partition_count_changed` when the topic has another number of partitions.
 */
export async function createTopics(client: KafkaClient, o: TopicsOptions): Promise<void> {
  const known = await client.withAdmin((admin) => admin.listTopics())
  const missing = bothTopics(o).filter(({ topic }) => !known.includes(topic))
  if (missing.length > 0) await create(client, missing)
  for (const { topic, partitions } of bothTopics(o)) await untilServed(client, topic, partitions)
}

/** Compares both topics with what the services need; see `checkTopic`. */
export async function checkTopics(client: KafkaClient, o: TopicsOptions): Promise<readonly TopicFinding[]> {
  const findings = await Promise.all(bothTopics(o).map((expected) => checkTopic(client, expected)))
  return findings.flat()
}

function bothTopics(o: TopicsOptions): readonly ExpectedTopic[] {
  const both = { replication: o.replication, retentionMs: o.retentionMs ?? RETENTION_MS }
  return [
    { ...both, topic: o.topic, partitions: o.partitions, messageBytesMax: MESSAGE_BYTES_MAX },
    {
      ...both,
      topic: o.dlqTopic,
      partitions: DLQ_PARTITIONS,
      messageBytesMax: MESSAGE_BYTES_MAX + DLQ_EXTRA_BYTES,
    },
  ]
}

async function create(
  client: KafkaClient,
  topics: readonly ExpectedTopic[],
  o: { readonly without?: string } = {},
): Promise<void> {
  const request = {
    // kafkajs fails while a new topic is not known to every broker; `untilServed` waits instead.
    waitForLeaders: false,
    timeout: 30_000,
    topics: topics.map((expected) => ({
      topic: expected.topic,
      numPartitions: expected.partitions,
      replicationFactor: expected.replication,
      configEntries: Object.entries(topicSettings(expected))
        .filter(([name]) => name !== o.without)
        .map(([name, value]) => ({ name, value })),
    })),
  }
  try {
    await client.withAdmin((admin) => admin.createTopics(request))
  } catch (error) {
    if (o.without !== undefined || !isRefusedSetting(error)) throw error
    const setting = 'compression.type'
    client.log.warn({ setting }, 'Kafka refused the settings of a topic, creating it without this one')
    await create(client, topics, { without: setting })
  }
}

/** INVALID_CONFIG and POLICY_VIOLATION (Kafka protocol, error codes 40 and 44); kafkajs gives one error for each topic. */
function isRefusedSetting(error: unknown): boolean {
  if (!types.isNativeError(error)) return false
  const type = 'type' in error ? error.type : undefined
  if (type === 'INVALID_CONFIG' || type === 'POLICY_VIOLATION') return true
  return 'errors' in error && Array.isArray(error.errors) && error.errors.some(isRefusedSetting)
}

/** Waits until the brokers know a new topic and lead its partitions. */
async function untilServed(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  for (let leftMs = SERVED_AFTER_MS; ; leftMs -= SERVED_POLL_MS) {
    try {
      const fault = logFault({ topic, partitionCount: partitions }, await describeLog(client, topic))
      if (fault !== undefined) throw fault
      return
    } catch (error) {
      if (leftMs <= 0 || !(error instanceof Fault) || !error.retryable) throw error
      await delay(SERVED_POLL_MS)
    }
  }
}
