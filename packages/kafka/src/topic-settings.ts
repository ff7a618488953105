/** How long the log keeps a record, ms. */
const RETENTION_MS = 7 * 24 * 60 * 60 * 1_000

/** What the settings of a topic depend on. */
export interface TopicShape {
  readonly replication: number
  /** The largest batch of records that the topic takes, bytes. */
  readonly messageBytesMax: number
}

/** The settings of both topics, by Kafka's names. */
export function topicSettings({ replication, messageBytesMax }: TopicShape): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(RETENTION_MS),
    'message.timestamp.type': 'LogAppendTime',
    // With `producer` one producer with a codec that readers lack would stop its partition.
    'compression.type': 'uncompressed',
    'max.message.bytes': String(messageBytesMax),
    ...(replication >= 3 ? { 'min.insync.replicas': '2' } : {}),
  }
}
