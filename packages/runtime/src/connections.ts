import { createClientTls, type ClientTls } from './client-tls.ts'
import type { ConfigOf } from './config.ts'
import { createOauthTokens } from './oauth-token.ts'
import type { databaseConfig, kafkaConfig, redisConfig } from './settings.ts'

/** How a process logs in at Kafka. */
export type KafkaLogin =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly user: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** An access token (RFC 6750); asked for at each login. */
      readonly token: () => Promise<string>
    }

/** Where Kafka is and how it is spoken with, as `createKafka` takes it. */
export function kafkaConnection(config: ConfigOf<typeof kafkaConfig>): {
  readonly brokers: readonly string[]
  readonly tls?: ClientTls
  readonly sasl?: KafkaLogin
} {
  const sasl = kafkaLogin(config)
  const files = {
    ca: config.KAFKA_TLS_CA_FILE,
    cert: config.KAFKA_TLS_CERT_FILE,
    key: config.KAFKA_TLS_KEY_FILE,
  }
  return {
    brokers: config.KAFKA_BROKERS,
    ...(config.KAFKA_TLS ? { tls: createClientTls(files, { checkName: config.KAFKA_TLS_CHECK_NAME }) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

function kafkaLogin(config: ConfigOf<typeof kafkaConfig>): KafkaLogin | undefined {
  const mechanism = config.KAFKA_SASL_MECHANISM
  if (mechanism === 'none') return undefined
  if (mechanism !== 'oauthbearer') {
    return { mechanism, user: config.KAFKA_SASL_USER ?? '', password: config.KAFKA_SASL_PASSWORD ?? '' }
  }
  const token = createOauthTokens({
    tokenUrl: config.KAFKA_OAUTH_TOKEN_URL ?? '',
    clientId: config.KAFKA_OAUTH_CLIENT_ID ?? '',
    clientSecret: config.KAFKA_OAUTH_CLIENT_SECRET ?? '',
    scope: config.KAFKA_OAUTH_SCOPE,
  })
  return { mechanism, token }
}

/** Where Postgres is and how it is spoken with, as `createPool` takes it. The owner's URL takes the place of `url`. */
export function databaseConnection(config: ConfigOf<typeof databaseConfig>): {
  readonly url: string
  readonly tls?: ClientTls
} {
  const files = {
    ca: config.DATABASE_TLS_CA_FILE,
    cert: config.DATABASE_TLS_CERT_FILE,
    key: config.DATABASE_TLS_KEY_FILE,
  }
  return { url: config.DATABASE_URL, ...(config.DATABASE_TLS ? { tls: createClientTls(files) } : {}) }
}

/** Where Redis is and how it is reached. */
export interface RedisAddress {
  /** `redis://[user:password@]host:port[/database]`, or `rediss://` with `tls`. */
  readonly url: string
  readonly tls?: ClientTls
  /** `cluster`: the URL names one node; `sentinel`: the URL's host is not used. */
  readonly mode: 'single' | 'cluster' | 'sentinel'
  /** Further nodes of a cluster, or the Sentinels, as `host:port`. */
  readonly nodes: readonly string[]
  readonly sentinelName: string
}

/** Where Redis is, from the settings. */
export function redisConnection(config: ConfigOf<typeof redisConfig>): RedisAddress {
  const { REDIS_URL: url, REDIS_MODE: mode, REDIS_NODES: nodes, REDIS_SENTINEL_NAME: sentinelName } = config
  const files = { ca: config.REDIS_TLS_CA_FILE, cert: config.REDIS_TLS_CERT_FILE, key: config.REDIS_TLS_KEY_FILE }
  const tls = url.startsWith('rediss:') ? { tls: createClientTls(files) } : {}
  return { url, mode, nodes, sentinelName, ...tls }
}
