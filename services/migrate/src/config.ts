import { databaseConfig, kafkaConfig, redisConfig, settings, type ConfigOf } from '@ariftly/runtime'
import { listenHostConfig } from './listen-host.ts'
import { retentionConfig } from './retention-settings.ts'

/** Settings of `migrate`. */
export const migrateConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_DLQ_TOPIC: settings.KAFKA_DLQ_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  KAFKA_REPLICATION: settings.KAFKA_REPLICATION,
  KAFKA_TOPICS: settings.KAFKA_TOPICS,
  ...databaseConfig,
  DATABASE_ADMIN_URL: settings.DATABASE_ADMIN_URL,
  ARIFTLY_BOOTSTRAP_KEY: settings.ARIFTLY_BOOTSTRAP_KEY,
  ...listenHostConfig,
  ...retentionConfig,
} as const

/** Result of {@link migrateConfig}. */
export type MigrateConfig = ConfigOf<typeof migrateConfig>

/** Settings of `migrate --check`: the backends of all services. */
export const checkConfig = { ...migrateConfig, ...redisConfig } as const

/** The values of {@link checkConfig}. */
export type CheckConfig = ConfigOf<typeof checkConfig>
