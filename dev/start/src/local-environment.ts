import type { LocalStack } from '@ariftly/local-stack'
import { readConfig, settings } from '@ariftly/runtime'

/** The given addresses, also from files; undefined for absent ones. */
export function readAddresses(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DATABASE_URL, DATABASE_ADMIN_URL, REDIS_URL } = settings
  const urls = readConfig({ DATABASE_ADMIN_URL, ...asOptional({ DATABASE_URL, REDIS_URL }) }, env)
  const brokers = readConfig({ KAFKA_BROKERS: { ...settings.KAFKA_BROKERS, optional: true } }, env).KAFKA_BROKERS as
    readonly string[] | undefined
  return { ...urls, KAFKA_BROKERS: brokers?.join(',') }
}

type Urls = Record<'DATABASE_URL' | 'REDIS_URL', typeof settings.DATABASE_URL>

function asOptional(urls: Urls): Record<keyof Urls, typeof settings.DATABASE_ADMIN_URL> {
  return {
    DATABASE_URL: { ...urls.DATABASE_URL, optional: true },
    REDIS_URL: { ...urls.REDIS_URL, optional: true },
  }
}

/** The environment of `standalone`: given settings are kept, other addresses are the local stack's. */
export function localEnvironment(env: NodeJS.ProcessEnv, stack: LocalStack): NodeJS.ProcessEnv {
  const { kafka, postgres, redis } = stack
  return {
    ...env,
    ...(kafka === undefined ? {} : localKafka(stack.addresses.kafka, env)),
    ...(postgres === undefined ? {} : { DATABASE_URL: stack.addresses.postgres }),
    ...(redis === undefined ? {} : { REDIS_URL: stack.addresses.redis }),
  }
}

/** Our own broker allows short sessions, so that a start after a kill does not wait long for the dead members of the groups. */
function localKafka(brokers: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { KAFKA_BROKERS: brokers, KAFKA_SESSION_TIMEOUT_MS: env['KAFKA_SESSION_TIMEOUT_MS'] || '4000' }
}
