import { databaseConfig, settings, type ConfigOf } from '@ariftly/runtime'

/** What the api reads from the environment. */
export const apiConfig = {
  ...databaseConfig,
  ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS,
  WEBHOOK_ALLOW_HTTP: settings.WEBHOOK_ALLOW_HTTP,
  WEBHOOK_ALLOW_CIDRS: settings.WEBHOOK_ALLOW_CIDRS,
} as const

/** The values of `apiConfig`. */
export type ApiConfig = ConfigOf<typeof apiConfig>
