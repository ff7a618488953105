import { bool, databaseConfig, int, kafkaConfig, oneOf, settings, type ConfigOf } from '@ariftly/runtime'

/** Settings of ingest. */
export const ingestConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  ...databaseConfig,
  QUOTA_SHARES: settings.QUOTA_SHARES,
  CORS_ORIGINS: settings.CORS_ORIGINS,
  INGEST_LANES: int({
    doc: 'Concurrent produce requests (lanes); a partition belongs to one lane.',
    default: 1,
    min: 1,
    max: 64,
  }),
  INGEST_COMPRESSION: oneOf({ doc: 'Compression of batches sent to Kafka.', words: ['none', 'gzip'], default: 'none' }),
  INGEST_PRODUCE_TIMEOUT_MS: int({
    doc: 'No produce request of a batch is started after this, and its entries are answered then.',
    default: 5000,
    min: 500,
    max: 60_000,
  }),
  INGEST_BUFFER_BYTES_MAX: int({
    doc: 'Bytes of requests held in memory, from the first byte of a body to its answer; above it: 503.',
    default: 128 * 1024 * 1024,
    min: 16 * 1024 * 1024,
  }),
  INGEST_FAST_PATH: bool({
    doc: 'Whether small plain posts are read by the fast path instead of node:http. The answers are the same.',
    default: true,
  }),
  INGEST_BODY_TIMEOUT_MS: int({
    doc: 'Time for a complete body; otherwise 408.',
    default: 30_000,
    min: 100,
    max: 300_000,
  }),
} as const

/** The values of {@link ingestConfig}. */
export type IngestConfig = ConfigOf<typeof ingestConfig>
