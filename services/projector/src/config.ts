import { databaseConfig, kafkaConfig, settings, type ConfigOf } from '@ariftly/runtime'

/** Settings of the projector. */
export const projectorConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_DLQ_TOPIC: settings.KAFKA_DLQ_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  KAFKA_GROUP_PREFIX: settings.KAFKA_GROUP_PREFIX,
  KAFKA_SESSION_TIMEOUT_MS: settings.KAFKA_SESSION_TIMEOUT_MS,
  ...databaseConfig,
} as const

/** The values of `projectorConfig`. */
export type ProjectorConfig = ConfigOf<typeof projectorConfig>
