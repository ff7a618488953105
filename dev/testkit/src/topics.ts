import { randomBytes } from 'node:crypto'
import { createKafka, createTopics, type KafkaClient } from '@ariftly/kafka'
import { stackAddresses } from './addresses.ts'
import { silentLog } from './silent-log.ts'

/** Topics of a test's own, made as `migrate` makes them. */
export interface TestTopics {
  readonly topic: string
  readonly dlqTopic: string
  /** Deletes both. */
  delete(): Promise<void>
}

/** How to make topics. */
export interface TestTopicsOptions {
  /** Default 12, as in production. */
  readonly partitions?: number
  /** The brokers of another stack than the shared one. */
  readonly brokers?: string
  /** Replicas of each partition; default 1. From 3 on two must be in sync. */
  readonly replication?: number
}

/** Makes a topic of events and one of dead letters with a unique name. */
export async function createTestTopics(options: TestTopicsOptions = {}): Promise<TestTopics> {
  const brokers = options.brokers ?? stackAddresses().kafka
  const name = `test-${randomBytes(6).toString('hex')}`
  const topics = { topic: `${name}.v1`, dlqTopic: `${name}.dlq.v1` }
  const { partitions = 12, replication = 1 } = options
  await withClient(brokers, (client) => createTopics(client, { ...topics, partitions, replication }))
  const remove = (client: KafkaClient) =>
    client.withAdmin((admin) => admin.deleteTopics({ topics: [topics.topic, topics.dlqTopic], timeout: 5000 }))
  return { ...topics, delete: () => withClient(brokers, remove) }
}

/** Runs `use` with a Kafka client that is closed afterwards. */
export async function withClient<T>(brokers: string, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = createKafka({ brokers: brokers.split(','), clientId: 'ariftly-testkit', log: silentLog })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
