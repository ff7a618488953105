import type { KafkaClient } from './client.ts'

export interface LogPartition {
  readonly partition: number
  /** Offset of the oldest record that the log still has (or would have: equal to `logEnd` when empty). */
  readonly logStart: number
  /** Offset that the next record will get (high watermark). */
  readonly logEnd: number
}

export interface LogDescription {
  readonly clusterId: string
  /** In order of `partition`. */
  readonly partitions: readonly LogPartition[]
}

/** Reads the cluster's id and where each partition begins and ends. Faults `topic_missing` and `kafka_unavailable`. */
export async function describeLog(_client: KafkaClient, _topic: string): Promise<LogDescription> {
  throw new Error('being written')
}

/** Fault `partition_count_changed` unless the topic has exactly `expected` partitions; also the faults of `describeLog`. */
export async function checkPartitionCount(_client: KafkaClient, _topic: string, _expected: number): Promise<void> {
  throw new Error('being written')
}
