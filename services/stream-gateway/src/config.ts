import { databaseConfig, int, kafkaConfig, settings, type ConfigOf } from '@ariftly/runtime'

const MIB = 1024 * 1024

/** What the stream gateway reads from the environment. */
export const streamGatewayConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  ...databaseConfig,
  ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS,
  CORS_ORIGINS: settings.CORS_ORIGINS,
  DRAIN_MS: settings.DRAIN_MS,
  RING_BYTES_MAX: int({
    doc: 'Memory for recent records, bytes, their bookkeeping included; when it is full the oldest leave.',
    default: 128 * MIB,
    min: MIB,
    max: 16 * 1024 * MIB,
  }),
  RING_IDS_MAX: int({
    doc: 'Event ids remembered to recognise reposts without asking Postgres; at least those of the ring are.',
    default: 500_000,
    min: 0,
    max: 20_000_000,
  }),
  STREAMS_MAX: int({
    doc: 'Open streams of this process; further ones get 503.',
    default: 20_000,
    min: 1,
    max: 1_000_000,
  }),
  STREAMS_PER_KEY_MAX: int({
    doc: 'Open streams of one API key in this process; further ones get 429.',
    default: 10_000,
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
    doc: 'Bytes that may wait for one slow client before it is served by pull.',
    default: 256 * 1024,
    min: 16 * 1024,
    max: 64 * MIB,
  }),
  STREAM_STALL_MS: int({
    doc: 'A stream that takes no byte of what waits for it for so long is closed.',
    default: 30_000,
    min: 1000,
    max: 600_000,
  }),
  STREAM_HEARTBEAT_MS: int({ doc: 'Pause between heartbeats of a stream.', default: 15_000, min: 1000, max: 60_000 }),
  PROJECTION_POLL_MS: int({
    doc: "Pause between looks at the events projection's positions while a stream waits for them; ten times that else.",
    default: 100,
    min: 10,
    max: 10_000,
  }),
} as const

/** What {@link streamGatewayConfig} gives. */
export type StreamGatewayConfig = ConfigOf<typeof streamGatewayConfig>
