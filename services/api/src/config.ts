import { databaseConfig, int, kafkaConfig, oneOf, settings, url, type ConfigOf } from '@ariftly/runtime'

/** Settings of the api. */
export const apiConfig = {
  ...kafkaConfig,
  KAFKA_DLQ_TOPIC: settings.KAFKA_DLQ_TOPIC,
  ...databaseConfig,
  CORS_ORIGINS: settings.CORS_ORIGINS,
  ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS,
  WEBHOOK_ALLOW_HTTP: settings.WEBHOOK_ALLOW_HTTP,
  WEBHOOK_ALLOW_CIDRS: settings.WEBHOOK_ALLOW_CIDRS,
  ADMIN_WRITES_PER_S: int({
    doc: 'Administrative writes a second that a tenant may make in this process (webhooks, API keys, tenants); twice as many in a burst.',
    default: 10,
    min: 1,
    max: 1_000_000,
  }),
  CONSOLE: oneOf({ doc: 'Whether `/console` is served.', words: ['on', 'off'], default: 'on' }),
  SECURITY_CONTACT: url({
    doc: 'Where vulnerabilities of this installation are reported; in `/.well-known/security.txt`.',
    default: 'mailto:security@ariftly.io',
    protocols: ['https:', 'mailto:'],
  }),
} as const

/** The values of `apiConfig`. */
export type ApiConfig = ConfigOf<typeof apiConfig>
