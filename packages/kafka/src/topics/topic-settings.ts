/** What the settings of a topic depend on. */
export interface TopicShape {
  /** Replicas of each partition; from 3 on, two must be in sync for a write to be acknowledged. */
  readonly replication: number
  /** The largest batch of records that the topic takes, bytes. */
  readonly messageBytesMax: number
  /** How long the topic keeps a record, milliseconds. */
  readonly retentionMs: number
}

/** The settings of both topics, by Kafka's names. */
export function topicSettings({
  replication,
  messageBytesMax,
  retentionMs,
}: TopicShape): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    'message.timestamp.type': 'LogAppendTime',
    // With `producer`, one producer with a codec that readers do not support would stop its partition.
    'compression.type': 'uncompressed',
    'max.message.bytes': String(messageBytesMax),
    ...(replication >= 3 ? { 'min.insync.replicas': '2' } : {}),
  }
}
