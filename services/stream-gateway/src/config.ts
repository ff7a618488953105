import { databaseConfig, int, kafkaConfig, settings, type ConfigOf } from '@ariftly/runtime'

const MIB = 1024 * 1024

/** Settings of the stream gateway. */
export const streamGatewayConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  ...databaseConfig,
  ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS,
  CORS_ORIGINS: settings.CORS_ORIGINS,
  DRAIN_MS: settings.DRAIN_MS,
  RING_BYTES_MAX: int({
    doc: 'Memory for recent records, bytes, their bookkeeping included; when it is full the oldest leave. The ids of events by which duplicates are recognised take a fifth of it in addition.',
    default: 128 * MIB,
    min: MIB,
    max: 16 * 1024 * MIB,
  }),
  STREAMS_MAX: int({
    doc: 'Open streams of this process; further ones get 503.',
    default: 20_000,
    min: 1,
    max: 1_000_000,
  }),
  STREAMS_PER_TENANT_MAX: int({
    doc: 'Open streams of one tenant in this process, over all its keys; further ones get 429.',
    default: 10_000,
    min: 1,
    max: 1_000_000,
  }),
  STREAM_UNSENT_BYTES_MAX: int({
    doc: 'Unsent bytes of one stream beyond which it gets nothing more; after 5 s it is closed, and resumes.',
    default: MIB,
    min: 16 * 1024,
    max: 64 * MIB,
  }),
  STREAMS_UNSENT_BYTES_MAX: int({
    doc: 'Unsent bytes of all streams of this process; beyond that the largest holders of the tenant that holds most are cut, and resume.',
    default: 128 * MIB,
    min: MIB,
    max: 16 * 1024 * MIB,
  }),
} as const

/** Result of {@link streamGatewayConfig}. */
export type StreamGatewayConfig = ConfigOf<typeof streamGatewayConfig>
