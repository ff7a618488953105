import { settings, type ConfigOf } from '@ariftly/runtime'

/** Settings of `migrate`. */
export const migrateConfig = {
  KAFKA_BROKERS: settings.KAFKA_BROKERS,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_DLQ_TOPIC: settings.KAFKA_DLQ_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  KAFKA_REPLICATION: settings.KAFKA_REPLICATION,
  DATABASE_URL: settings.DATABASE_URL,
  DATABASE_ADMIN_URL: settings.DATABASE_ADMIN_URL,
  ARIFTLY_BOOTSTRAP_KEY: settings.ARIFTLY_BOOTSTRAP_KEY,
} as const

/** What {@link migrateConfig} gives. */
export type MigrateConfig = ConfigOf<typeof migrateConfig>
