import { apiConfig } from '@ariftly-services/api'
import { ingestConfig } from '@ariftly-services/ingest'
import { migrateConfig } from '@ariftly-services/migrate'
import { projectorConfig } from '@ariftly-services/projector'
import { streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import { settings, str, type ConfigOf } from '@ariftly/runtime'

/** Settings of `standalone` itself. */
const standaloneConfig = {
  HOST: settings.HOST,
  PORT: settings.PORT,
  METRICS_PORT: settings.METRICS_PORT,
  LOG_LEVEL: settings.LOG_LEVEL,
  DRAIN_MS: settings.DRAIN_MS,
  PUBLIC_URL: settings.PUBLIC_URL,
  DATA_DIR: str({
    doc: 'Folder of the keys that are made because they are not given; under `npm start` also of the data of Kafka, Postgres and Redis.',
    default: '.data',
  }),
} as const

/** Settings of `standalone` itself. */
export type StandaloneConfig = ConfigOf<typeof standaloneConfig>

/** Everything that may be set: of `standalone`, of `migrate` and of the five services. */
export const wholeConfig = {
  ...migrateConfig,
  ...ingestConfig,
  ...projectorConfig,
  ...apiConfig,
  ...streamGatewayConfig,
  ...webhookWorkerConfig,
  ...standaloneConfig,
} as const
