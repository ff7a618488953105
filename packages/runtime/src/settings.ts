import { bool, cidrs, csv, int, intCsv, oneOf, port, str, url } from './config-items.ts'

/**
 * The environment of the whole house: each service's specification picks from it what it uses, so that one name means
 * one thing everywhere (`{ KAFKA_BROKERS: settings.KAFKA_BROKERS, … }`).
 */
export const settings = {
  KAFKA_BROKERS: csv({ doc: 'Kafka bootstrap addresses, `host:port`.', minItems: 1 }),
  KAFKA_TOPIC: str({ doc: 'Topic of the event log.', default: 'ariftly.events.v1' }),
  KAFKA_DLQ_TOPIC: str({ doc: 'Topic of records that break the contract.', default: 'ariftly.events.dlq.v1' }),
  KAFKA_PARTITIONS: int({ doc: 'Partitions of the topic; never changes for a topic.', default: 12, min: 1, max: 1000 }),
  KAFKA_REPLICATION: int({
    doc: 'Replicas of each partition (`migrate` creates the topics).',
    default: 1,
    min: 1,
    max: 10,
  }),
  KAFKA_GROUP_PREFIX: str({ doc: 'Prefix of consumer group ids.', default: 'ariftly' }),
  KAFKA_SESSION_TIMEOUT_MS: int({
    doc: 'Consumer group session timeout.',
    default: 10_000,
    min: 1000,
    max: 300_000,
  }),
  DATABASE_URL: url({
    doc: 'Postgres, as the role of the services.',
    secret: true,
    protocols: ['postgres:', 'postgresql:'],
  }),
  DATABASE_ADMIN_URL: url({
    doc: 'Postgres, as the owner of the schema; used by `migrate` and operator commands alone.',
    secret: true,
    optional: true,
    protocols: ['postgres:', 'postgresql:'],
  }),
  REDIS_URL: url({ doc: 'Redis, for BullMQ.', secret: true, protocols: ['redis:', 'rediss:'] }),
  BULLMQ_PREFIX: str({ doc: "Prefix of BullMQ's keys in Redis.", default: 'ariftly' }),
  HOST: str({ doc: 'Address to listen on.', default: '0.0.0.0' }),
  PORT: port({ doc: 'Port to listen on; 0 lets the system choose.', default: 8080 }),
  METRICS_PORT: port({
    doc: 'Port of `/livez`, `/readyz`, `/metrics` and `/debug/…`; default: the same as `PORT`.',
    optional: true,
  }),
  LOG_LEVEL: oneOf({
    doc: 'Lowest level that is logged.',
    words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
  }),
  DRAIN_MS: int({ doc: 'Time to end by itself after the first signal.', default: 10_000, min: 0, max: 600_000 }),
  ENCRYPTION_KEYS: str({
    doc: 'Keys of secrets at rest, cursors and stream positions: `id:base64(32 bytes)`, comma-separated; the first encrypts, all decrypt.',
    secret: true,
    pattern: /^[\w-]{1,32}:[A-Za-z0-9+/]{43}=(\s*,\s*[\w-]{1,32}:[A-Za-z0-9+/]{43}=)*$/,
    patternDoc: '`id:base64(32 bytes)`, comma-separated',
  }),
  ARIFTLY_BOOTSTRAP_KEY: str({
    doc: 'An API key of tenant `default` with all scopes that `migrate` seeds.',
    secret: true,
    optional: true,
    pattern: /^[A-Za-z0-9_-]{24,128}$/,
    patternDoc: '24 to 128 characters of A-Za-z0-9_-',
  }),
  PUBLIC_URL: url({ doc: 'Where clients reach the API.', optional: true, protocols: ['http:', 'https:'] }),
  QUOTA_SHARES: int({ doc: 'Replicas that share the quota of each API key.', default: 1, min: 1, max: 10_000 }),
  WEBHOOK_ALLOW_HTTP: bool({ doc: 'Allows http and loopback webhooks (development).', default: false }),
  WEBHOOK_ALLOW_CIDRS: cidrs({ doc: 'Address ranges that webhooks may reach besides public ones.', default: '' }),
  WEBHOOK_RETRY_SCHEDULE_S: intCsv({
    doc: 'Retry delays in seconds, in place of the built-in schedule.',
    optional: true,
  }),
  CORS_ORIGINS: csv({ doc: 'Origins of browsers that may read the stream; `*` is any.', default: '' }),
} as const

/** Where the process of one service listens, and how long it may take to end; `standalone` has its own. */
export const listenConfig = {
  HOST: settings.HOST,
  PORT: settings.PORT,
  METRICS_PORT: settings.METRICS_PORT,
  DRAIN_MS: settings.DRAIN_MS,
} as const
