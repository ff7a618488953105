import { createServer } from 'node:net'
import { join } from 'node:path'
import { migrate, migrateConfig } from '@ariftly-services/migrate'
import { generateApiKey } from '@ariftly/auth'
import { serveService, type ServedService } from '@ariftly/http'
import { generateEncryptionKey } from '@ariftly/keyring'
import { startStack, type LocalStack, type PartName } from '@ariftly/local-stack'
import { Fault, readConfig, settings, sleep, withReleasers, type ServiceDeps } from '@ariftly/runtime'
import { renderBanner } from './banner.ts'
import { checkOwnParts } from './check-own-parts.ts'
import { startServices } from './compose.ts'
import type { StandaloneConfig } from './config.ts'
import { readOrMakeSecret } from './secrets.ts'

/** What `standalone` needs besides the usual. */
export interface StandaloneDeps extends ServiceDeps {
  /** The environment of the services; addresses and keys that it lacks are filled in. */
  readonly env: NodeJS.ProcessEnv
  /** Told in a few words what goes on. */
  progress(line: string): void
  /** Shown once, when all works. */
  announce(text: string): void
}

/**
 * Runs the whole house in one process on one port: starts Kafka, Postgres and Redis where their addresses are not given, makes them
 * ready, and composes the five services. Says so when all of them really work.
 */
export async function start(config: StandaloneConfig, deps: StandaloneDeps): Promise<ServedService> {
  const startedMs = performance.now()
  checkOwnParts(deps.env)
  await checkPort(config)
  return withReleasers(deps.log, async (releasers) => {
    const given = readGiven(deps.env)
    deps.progress('Starting Kafka, Postgres and Redis')
    const stack = await startStack({
      dataDir: config.DATA_DIR,
      env: { ...deps.env, ...given.addresses },
      progress: (line) => deps.progress(line),
      onExit: (name, detail) => void revive(name, detail),
    })
    releasers.add('stack', () => stack.close())

    const apiKey = given.apiKey ?? readOrMakeSecret(join(config.DATA_DIR, 'api-key'), () => generateApiKey().key)
    const env = completeEnvironment(deps.env, stack, config.DATA_DIR)
    deps.progress('Migrating')
    await migrate({ ...readConfig(migrateConfig, env), ARIFTLY_BOOTSTRAP_KEY: apiKey }, deps)

    deps.progress('Starting the services')
    const services = await startServices(env, deps)
    releasers.add('services', () => services.close())
    const { HOST: host, PORT: port, METRICS_PORT: metricsPort, DRAIN_MS: drainMs } = config
    const served = await serveService(services, { host, port, metricsPort, drainMs }, deps)
    void announceWhenReady(served)

    async function revive(name: PartName, detail: string): Promise<void> {
      deps.progress(detail)
      await sleep(1000, deps.signal)
      if (deps.signal.aborted) return
      deps.progress(`Starting ${name} again`)
      await stack[name]?.start().catch((error: unknown) => deps.log.error({ err: error }, 'a part is gone'))
    }

    async function announceWhenReady(service: ServedService): Promise<void> {
      for (let round = 1; !service.ready().ready && !deps.signal.aborted; round++) {
        if (round % 50 === 0) deps.progress(`Waiting for ${unready(service).join(', ')}`)
        await sleep(50, deps.signal)
      }
      if (deps.signal.aborted) return
      const baseUrl = config.PUBLIC_URL ?? `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${service.port}`
      deps.announce(
        renderBanner({ baseUrl, apiKey, kafka: stack.addresses.kafka, tookMs: performance.now() - startedMs }),
      )
    }

    return {
      ...served,
      close: async () => {
        await served.close()
        await releasers.close()
      },
    }
  })
}

/** Settings that may be given, also as files, and that are made here otherwise. */
function readGiven(env: NodeJS.ProcessEnv) {
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
function completeEnvironment(env: NodeJS.ProcessEnv, stack: LocalStack, dataDir: string): NodeJS.ProcessEnv {
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

function unready(service: ServedService): readonly string[] {
  return Object.entries(service.ready().checks)
    .filter(([, value]) => value !== 'ok')
    .map(([name, value]) => `${name} (${value})`)
}

/** A taken port is known before anything is started. */
async function checkPort(config: StandaloneConfig): Promise<void> {
  const { HOST: host, PORT: port } = config
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ host, port }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
  if (free) return
  const message = `Port ${port} of ${host} is taken or not allowed: stop what listens there, or choose another one: PORT=${port + 1} npm start`
  throw new Fault({ code: 'listen_failed', message })
}
