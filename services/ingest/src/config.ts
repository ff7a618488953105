import { bool, databaseConfig, int, kafkaConfig, settings, type ConfigOf } from '@ariftly/runtime'

/** Settings of ingest. */
export const ingestConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  ...databaseConfig,
  CORS_ORIGINS: settings.CORS_ORIGINS,
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
} as const

/** The values of {@link ingestConfig}. */
export type IngestConfig = ConfigOf<typeof ingestConfig>
