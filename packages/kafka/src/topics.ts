import type { KafkaClient } from './client.ts'

export interface TopicsOptions {
  readonly topic: string
  readonly dlqTopic: string
  readonly partitions: number
  readonly replication: number
}

/**
 * Creates the topic of events and that of dead letters where they lack, with the settings of design 4.3. Idempotent; the
 * only creator of topics. Fault `partition_count_changed` when the topic stands with another number of partitions.
 */
export async function createTopics(_client: KafkaClient, _o: TopicsOptions): Promise<void> {
  throw new Error('being written')
}
