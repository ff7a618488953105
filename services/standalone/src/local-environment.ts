import { join } from 'node:path'
import { generateEncryptionKey } from '@ariftly/keyring'
import type { LocalStack } from '@ariftly/local-stack'
import { readConfig, settings } from '@ariftly/runtime'
import { readOrMakeSecret } from './secrets.ts'

/** Settings that may be given, also as files, and that are made here otherwise. */
export function readGiven(env: NodeJS.ProcessEnv) {
  const { KAFKA_BROKERS, DATABASE_URL, DATABASE_ADMIN_URL, REDIS_URL, ARIFTLY_BOOTSTRAP_KEY } = settings
  const optional = { DATABASE_ADMIN_URL, ARIFTLY_BOOTSTRAP_KEY, ...asOptional({ DATABASE_URL, REDIS_URL }) }
  const { ARIFTLY_BOOTSTRAP_KEY: apiKey, ...urls } = readConfig(optional, env)
  const brokers = readConfig({ KAFKA_BROKERS: { ...KAFKA_BROKERS, optional: true } }, env).KAFKA_BROKERS as
    readonly string[] | undefined
  return { apiKey, addresses: { ...urls, KAFKA_BROKERS: brokers?.join(',') } }
}

type Urls = Record<'DATABASE_URL' | 'REDIS_URL', typeof settings.DATABASE_URL>

function asOptional(urls: Urls): Record<keyof Urls, typeof settings.DATABASE_ADMIN_URL> {
  return {
    DATABASE_URL: { ...urls.DATABASE_URL, optional: true },
    REDIS_URL: { ...urls.REDIS_URL, optional: true },
  }
}

/** The environment of the services: what was given stays, the rest is that of the local stack. */
export function completeEnvironment(env: NodeJS.ProcessEnv, stack: LocalStack, dataDir: string): NodeJS.ProcessEnv {
  const { kafka, postgres, redis } = stack
  const keysFile = join(dataDir, 'encryption-keys')
  const hasKeys = isSet(env, 'ENCRYPTION_KEYS')
  if (!hasKeys) readOrMakeSecret(keysFile, () => generateEncryptionKey('k1'))
  return {
    ...env,
    ...(kafka === undefined ? {} : localKafka(stack.addresses.kafka, env)),
    ...(postgres === undefined ? {} : { DATABASE_URL: stack.addresses.postgres }),
    ...(redis === undefined ? {} : { REDIS_URL: stack.addresses.redis }),
    ...(hasKeys ? {} : { ENCRYPTION_KEYS_FILE: keysFile }),
  }
}

/** Our own broker allows short sessions, so that a start after a kill does not wait long for the dead members of the groups. */
function localKafka(brokers: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { KAFKA_BROKERS: brokers, KAFKA_SESSION_TIMEOUT_MS: env['KAFKA_SESSION_TIMEOUT_MS'] || '4000' }
}

function isSet(env: NodeJS.ProcessEnv, name: string): boolean {
  return [env[name], env[`${name}_FILE`]].some((value) => value !== undefined && value !== '')
}
