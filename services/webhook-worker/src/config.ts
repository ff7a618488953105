import { databaseConfig, int, intCsv, kafkaConfig, redisConfig, settings, type ConfigOf } from '@ariftly/runtime'

/** The settings of the webhook worker. */
export const webhookWorkerConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  KAFKA_GROUP_PREFIX: settings.KAFKA_GROUP_PREFIX,
  KAFKA_SESSION_TIMEOUT_MS: settings.KAFKA_SESSION_TIMEOUT_MS,
  ...databaseConfig,
  ...redisConfig,
  BULLMQ_PREFIX: settings.BULLMQ_PREFIX,
  ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS,
  HOST: settings.HOST,
  PORT: settings.PORT,
  METRICS_PORT: settings.METRICS_PORT,
  DRAIN_MS: settings.DRAIN_MS,
  WEBHOOK_ALLOW_HTTP: settings.WEBHOOK_ALLOW_HTTP,
  WEBHOOK_ALLOW_CIDRS: settings.WEBHOOK_ALLOW_CIDRS,
  WEBHOOK_RETRY_SCHEDULE_S: intCsv({
    doc: 'Waits between attempts of a delivery, in seconds, in place of the built-in schedule.',
    optional: true,
    max: 2_592_000,
  }),
  WEBHOOK_TIMEOUT_MS: int({
    doc: 'Deadline of one attempt, its answer included.',
    default: 15_000,
    min: 100,
    max: 60_000,
  }),
  WEBHOOK_WORKER_DEAD_MS: int({
    doc: 'A worker without a heartbeat for this long is dead, and its attempts are repeated.',
    default: 5000,
    min: 1000,
    max: 600_000,
  }),
  WEBHOOK_PER_ENDPOINT: int({
    doc: 'Attempts in flight per endpoint, over all workers.',
    default: 10,
    min: 1,
    max: 1000,
  }),
  WEBHOOK_PER_TENANT: int({
    doc: 'Attempts in flight per tenant, over all workers.',
    default: 200,
    min: 1,
    max: 10_000,
  }),
  WEBHOOK_CONCURRENCY: int({
    doc: 'Attempts under way in this process; in addition half as many of endpoints whose last attempts failed or took over 2 s.',
    default: 400,
    min: 1,
    max: 10_000,
  }),
  WEBHOOK_PROBE_MS: int({
    doc: 'First wait for a probe of a failing endpoint; it doubles up to 30 times as much.',
    default: 10_000,
    min: 100,
    max: 600_000,
  }),
} as const

/** The values of {@link webhookWorkerConfig}. */
export type WebhookWorkerConfig = ConfigOf<typeof webhookWorkerConfig>
