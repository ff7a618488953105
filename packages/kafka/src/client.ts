import type { KafkaLog } from './kafka-log.ts'

/** How to reach Kafka. */
export interface KafkaConnection {
  /** `host:port` of some brokers; the rest is learnt from them. */
  readonly brokers: readonly string[]
  /** Name of this process in the brokers' logs and quotas. */
  readonly clientId: string
  readonly log: KafkaLog
}

/** A configured client. Nothing connects until a producer, a reader or an admin call needs it. */
export interface KafkaClient {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log: KafkaLog
  /** Ends the shared admin connection. Producers and readers are closed by their owners. */
  close(): Promise<void>
}

export function createKafka(_o: KafkaConnection): KafkaClient {
  throw new Error('being written')
}
