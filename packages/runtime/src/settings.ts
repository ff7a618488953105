import { bool, cidrs, csv, hostPorts, int, oneOf, port, str, url, type Setting } from './config-items.ts'
import { caFile, certFile, keyFile, type TlsSwitch } from './tls-settings.ts'

const KAFKA_TLS: TlsSwitch = { setting: 'KAFKA_TLS', on: (value) => value === true, doc: 'KAFKA_TLS=true' }
const DATABASE_TLS: TlsSwitch = { setting: 'DATABASE_TLS', on: (value) => value === true, doc: 'DATABASE_TLS=true' }
const REDIS_TLS: TlsSwitch = {
  setting: 'REDIS_URL',
  on: (value) => String(value).startsWith('rediss:'),
  doc: 'a REDIS_URL that begins with rediss://',
}
const POSTGRES_PROTOCOLS = { protocols: ['postgres:', 'postgresql:'] } as const

/** How Kafka is reached; for `kafkaConnection`. */
export const kafkaConfig = {
  KAFKA_BROKERS: hostPorts({ doc: 'Kafka bootstrap addresses.' }),
  KAFKA_TLS: bool({ doc: 'Speaks TLS with Kafka; the certificate of each broker must be valid.', default: false }),
  KAFKA_TLS_CA_FILE: caFile('the brokers', KAFKA_TLS),
  KAFKA_TLS_CERT_FILE: certFile('brokers', KAFKA_TLS, 'KAFKA_TLS_KEY_FILE'),
  KAFKA_TLS_KEY_FILE: keyFile(KAFKA_TLS, 'KAFKA_TLS_CERT_FILE'),
  KAFKA_TLS_CHECK_NAME: bool({
    doc: 'Whether the name or address of a broker must be in its certificate.',
    default: true,
  }),
  KAFKA_SASL_MECHANISM: saslMechanism(),
  KAFKA_SASL_USER: withMechanism(str({ doc: 'User of SASL.', optional: true })),
  KAFKA_SASL_PASSWORD: withMechanism(str({ doc: 'Password of SASL.', secret: true, optional: true })),
  KAFKA_SASL_PLAIN_WITHOUT_TLS: bool({
    doc: 'Allows `plain` without KAFKA_TLS: anyone who can read the network traffic can then read the password.',
    default: false,
  }),
  KAFKA_OAUTH_TOKEN_URL: withOauth(
    url({
      doc: 'Token endpoint for `oauthbearer` (client credentials, RFC 6749 section 4.4).',
      optional: true,
      protocols: ['https:', 'http:'],
    }),
  ),
  KAFKA_OAUTH_CLIENT_ID: withOauth(str({ doc: 'Client id at the token endpoint.', optional: true })),
  KAFKA_OAUTH_CLIENT_SECRET: withOauth(
    str({ doc: 'Client secret at the token endpoint.', secret: true, optional: true }),
  ),
  KAFKA_OAUTH_SCOPE: withOauth(str({ doc: 'Scope to ask for; default: none.', optional: true })),
} as const

/** How Postgres is reached; for `databaseConnection`. */
export const databaseConfig = {
  DATABASE_URL: withoutTlsParameters(
    url({ doc: 'Postgres, as the role of the services.', secret: true, ...POSTGRES_PROTOCOLS }),
  ),
  DATABASE_TLS: bool({
    doc: 'Speaks TLS with Postgres; its certificate must be valid and name the host (`verify-full`). In place of `sslmode` in the URL.',
    default: false,
  }),
  DATABASE_TLS_CA_FILE: caFile('Postgres', DATABASE_TLS),
  DATABASE_TLS_CERT_FILE: certFile('servers', DATABASE_TLS, 'DATABASE_TLS_KEY_FILE'),
  DATABASE_TLS_KEY_FILE: keyFile(DATABASE_TLS, 'DATABASE_TLS_CERT_FILE'),
} as const

/** How Redis is reached; for `redisConnection`. */
export const redisConfig = {
  REDIS_URL: url({
    doc: 'Redis, for BullMQ; `rediss://` is TLS, with a certificate that must be valid and name the host.',
    secret: true,
    protocols: ['redis:', 'rediss:'],
  }),
  REDIS_MODE: oneOf({
    doc: 'What REDIS_URL names: one Redis; a node of a Redis Cluster; or, with `sentinel`, only user, password, database and TLS of a Redis that Sentinels know.',
    words: ['single', 'cluster', 'sentinel'],
    default: 'single',
  }),
  REDIS_NODES: csv({
    doc: 'With `REDIS_MODE` `cluster` further nodes to begin with, with `sentinel` the Sentinels, as `redis-1:6379`.',
    default: '',
  }),
  REDIS_SENTINEL_NAME: str({ doc: 'Name by which Sentinels know the Redis.', default: 'mymaster' }),
  REDIS_TLS_CA_FILE: caFile('Redis', REDIS_TLS),
  REDIS_TLS_CERT_FILE: certFile('servers', REDIS_TLS, 'REDIS_TLS_KEY_FILE'),
  REDIS_TLS_KEY_FILE: keyFile(REDIS_TLS, 'REDIS_TLS_CERT_FILE'),
} as const

/** Where the process of one service listens, and how long it may take to end; `standalone` has its own. */
export const listenConfig = {
  HOST: str({ doc: 'Address to listen on.', default: '0.0.0.0' }),
  PORT: port({ doc: 'Port to listen on; 0 lets the system choose.', default: 8080 }),
  METRICS_PORT: port({
    doc: 'Port of `/livez`, `/readyz` and `/metrics`; default: the same as `PORT`.',
    optional: true,
  }),
  DRAIN_MS: int({ doc: 'Time to end in order after the first signal.', default: 10_000, min: 0, max: 600_000 }),
  SHUTDOWN_DELAY_MS: int({
    doc: 'How long a service that clients call still serves after it says that it is not ready, with `Connection: close`: what a load balancer needs to see that. Part of DRAIN_MS.',
    default: 500,
    min: 0,
    max: 60_000,
  }),
} as const

/**
 * The environment of the whole system: each service's specification picks from it what it uses, so that one name means
 * one thing everywhere (`{ KAFKA_TOPIC: settings.KAFKA_TOPIC, … }`).
 */
export const settings = {
  ...kafkaConfig,
  ...databaseConfig,
  ...redisConfig,
  ...listenConfig,
  KAFKA_TOPIC: str({ doc: 'Topic of the event log.', default: 'ariftly.events.v1' }),
  KAFKA_DLQ_TOPIC: str({ doc: 'Topic of records that break the contract.', default: 'ariftly.events.dlq.v1' }),
  KAFKA_PARTITIONS: int({ doc: 'Partitions of the topic; never changes for a topic.', default: 12, min: 1, max: 1000 }),
  KAFKA_REPLICATION: int({
    doc: 'Replicas of each partition (`migrate` creates the topics).',
    default: 1,
    min: 1,
    max: 10,
  }),
  KAFKA_TOPICS: oneOf({
    doc: '`create`: `migrate` creates missing topics. `verify`: it creates none, for topics that other tools manage.',
    words: ['create', 'verify'],
    default: 'create',
  }),
  KAFKA_GROUP_PREFIX: str({ doc: 'Prefix of consumer group ids.', default: 'ariftly' }),
  KAFKA_SESSION_TIMEOUT_MS: int({
    doc: 'Consumer group session timeout: partitions of a killed process are not read for this long.',
    default: 6_000,
    min: 1000,
    max: 300_000,
  }),
  DATABASE_ADMIN_URL: withoutTlsParameters(
    url({
      doc: 'Postgres, as the owner of the schema; used by `migrate` and operator commands alone.',
      secret: true,
      optional: true,
      ...POSTGRES_PROTOCOLS,
    }),
  ),
  BULLMQ_PREFIX: str({
    doc: "Prefix of BullMQ's keys in Redis. In braces, so that a Redis Cluster keeps them all on one node.",
    default: '{ariftly}',
  }),
  LOG_LEVEL: oneOf({
    doc: 'Lowest level that is logged.',
    words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
  }),
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
  WEBHOOK_ALLOW_HTTP: bool({ doc: 'Allows http and loopback webhooks (development).', default: false }),
  WEBHOOK_ALLOW_CIDRS: cidrs({
    doc: 'Address ranges that webhooks may reach in addition to public ones.',
    default: '',
  }),
  CORS_ORIGINS: csv({ doc: 'Origins whose pages may call the API from a browser; `*` is any.', default: '' }),
} as const

type SaslMechanism = 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer'

function saslMechanism(): Setting<SaslMechanism> {
  const setting = oneOf<SaslMechanism>({
    doc: 'How this process logs in at Kafka. `plain` sends the password itself, so it asks for TLS.',
    words: ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
    default: 'none',
  })
  return {
    ...setting,
    check(mechanism, others) {
      if (mechanism === 'none') return undefined
      const needed =
        mechanism === 'oauthbearer'
          ? ['KAFKA_OAUTH_TOKEN_URL', 'KAFKA_OAUTH_CLIENT_ID', 'KAFKA_OAUTH_CLIENT_SECRET']
          : ['KAFKA_SASL_USER', 'KAFKA_SASL_PASSWORD']
      const missing = needed.filter((name) => others[name] === undefined)
      if (missing.length > 0) return `needs ${missing.join(' and ')}`
      const inTheClear = others['KAFKA_TLS'] === false && others['KAFKA_SASL_PLAIN_WITHOUT_TLS'] === false
      return mechanism === 'plain' && inTheClear
        ? 'is plain without KAFKA_TLS=true, which shows the password to the network: choose scram-sha-512, or allow it by KAFKA_SASL_PLAIN_WITHOUT_TLS=true'
        : undefined
    },
  }
}

/** SASL credentials without a mechanism that uses them would be ignored, so they are rejected. */
function withMechanism(setting: Setting<string | undefined>): Setting<string | undefined> {
  return onlyWith(setting, (mechanism) => mechanism !== 'none' && mechanism !== 'oauthbearer', 'that asks for it')
}

function withOauth(setting: Setting<string | undefined>): Setting<string | undefined> {
  return onlyWith(setting, (mechanism) => mechanism === 'oauthbearer', 'oauthbearer')
}

function onlyWith(
  setting: Setting<string | undefined>,
  isUsed: (mechanism: unknown) => boolean,
  which: string,
): Setting<string | undefined> {
  return {
    ...setting,
    check: (value, others) =>
      value === undefined || isUsed(others['KAFKA_SASL_MECHANISM'])
        ? undefined
        : `counts only with a KAFKA_SASL_MECHANISM ${which}`,
  }
}

const TLS_PARAMETERS: ReadonlySet<string> = new Set([
  'ssl',
  'sslmode',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'sslnegotiation',
  'uselibpqcompat',
])

/**
 * pg would let these win over what the settings say, and reads them otherwise than libpq does: `sslmode=require` checks the
 * certificate today and will not in its next version, and `sslmode=no-verify` checks nothing.
 */
function withoutTlsParameters<T extends string | undefined>(setting: Setting<T>): Setting<T> {
  return {
    ...setting,
    parse(text) {
      const parsed = setting.parse(text)
      if (!parsed.ok) return parsed
      const names = [...new URL(text).searchParams.keys()].filter((name) => TLS_PARAMETERS.has(name))
      if (names.length === 0) return parsed
      return {
        ok: false,
        fault: `has ${names.join(', ')} in the URL: TLS is said by DATABASE_TLS and DATABASE_TLS_*_FILE`,
      }
    },
  }
}
