import { createClientTls, type ClientTls } from './client-tls.ts'
import type { ConfigOf } from './config.ts'
import type { databaseConfig, kafkaConfig, redisConfig } from './settings.ts'

/** How a process logs in at Kafka. */
export interface KafkaLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly user: string
  readonly password: string
}

/** Where Kafka is and how it is spoken with, as `createKafka` takes it. */
export function kafkaConnection(config: ConfigOf<typeof kafkaConfig>): {
  readonly brokers: readonly string[]
  readonly tls?: ClientTls
  readonly sasl?: KafkaLogin
} {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USER: user = '', KAFKA_SASL_PASSWORD: password = '' } = config
  const files = {
    ca: config.KAFKA_TLS_CA_FILE,
    cert: config.KAFKA_TLS_CERT_FILE,
    key: config.KAFKA_TLS_KEY_FILE,
  }
  return {
    brokers: config.KAFKA_BROKERS,
    ...(config.KAFKA_TLS ? { tls: createClientTls(files, { checkName: config.KAFKA_TLS_CHECK_NAME }) } : {}),
    ...(mechanism === 'none' ? {} : { sasl: { mechanism, user, password } }),
  }
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

/** Where Redis is and how it is spoken with. */
export function redisConnection(config: ConfigOf<typeof redisConfig>): {
  readonly url: string
  readonly tls?: ClientTls
} {
  const { REDIS_URL: url } = config
  const files = { ca: config.REDIS_TLS_CA_FILE, cert: config.REDIS_TLS_CERT_FILE, key: config.REDIS_TLS_KEY_FILE }
  return { url, ...(url.startsWith('rediss:') ? { tls: createClientTls(files) } : {}) }
}
