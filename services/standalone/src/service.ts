import { join, resolve } from 'node:path'
import { migrate, migrateConfig } from '@ariftly-services/migrate'
import { generateApiKey } from '@ariftly/auth'
import { serveService, type ServedService } from '@ariftly/http'
import { generateEncryptionKey } from '@ariftly/keyring'
import { readConfig, settings, sleep, withReleasers, type ServiceDeps } from '@ariftly/runtime'
import { renderBanner } from './banner.ts'
import { checkPort } from './check-port.ts'
import { startServices } from './compose.ts'
import type { StandaloneConfig } from './config.ts'
import { readOrMakeSecret } from './secrets.ts'

/** Dependencies of `standalone`. */
export interface StandaloneDeps extends ServiceDeps {
  /** The environment of the services, with the addresses of Kafka, Postgres and Redis; missing keys are made in `DATA_DIR`. */
  readonly env: NodeJS.ProcessEnv
  /** When the start began, by `performance.now()`. */
  readonly startedMs: number
  /** Called with a few words about each step. */
  progress(line: string): void
  /** Shown once, when all works. */
  announce(text: string): void
}

const { KAFKA_BROKERS, ARIFTLY_BOOTSTRAP_KEY } = settings

/**
 * Runs the whole system in one process on one port: prepares the given Kafka, Postgres and Redis, and composes the five
 * services. Reports when all of them work.
 */
export async function start(config: StandaloneConfig, deps: StandaloneDeps): Promise<ServedService> {
  await checkPort(config)
  return withReleasers(deps.log, async (releasers) => {
    const given = readConfig({ KAFKA_BROKERS, ARIFTLY_BOOTSTRAP_KEY }, deps.env)
    const apiKey =
      given.ARIFTLY_BOOTSTRAP_KEY ?? readOrMakeSecret(join(config.DATA_DIR, 'api-key'), () => generateApiKey().key)
    const env = withEncryptionKeys(deps.env, config.DATA_DIR)
    deps.progress('Migrating')
    await migrate({ ...readConfig(migrateConfig, env), ARIFTLY_BOOTSTRAP_KEY: apiKey }, deps)

    deps.progress('Starting the services')
    const services = await startServices(env, deps)
    releasers.add('services', () => services.close())
    const { HOST: host, PORT: port, METRICS_PORT: metricsPort, DRAIN_MS: drainMs } = config
    const served = await serveService(services, { host, port, metricsPort, drainMs }, deps)
    void announceWhenReady(served)

    async function announceWhenReady(service: ServedService): Promise<void> {
      for (let round = 1; !service.ready().ready && !deps.signal.aborted; round++) {
        if (round % 50 === 0) deps.progress(`Waiting for ${unready(service).join(', ')}`)
        await sleep(50, deps.signal)
      }
      if (deps.signal.aborted) return
      const baseUrl = config.PUBLIC_URL ?? `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${service.port}`
      const tookMs = performance.now() - deps.startedMs
      const kafka = given.KAFKA_BROKERS.join(',')
      deps.announce(renderBanner({ baseUrl, apiKey, kafka, dataDir: resolve(config.DATA_DIR), tookMs }))
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

/** The environment with `ENCRYPTION_KEYS`: a key that is not given is made once and kept in `dataDir`. */
function withEncryptionKeys(env: NodeJS.ProcessEnv, dataDir: string): NodeJS.ProcessEnv {
  if (env['ENCRYPTION_KEYS'] || env['ENCRYPTION_KEYS_FILE']) return env
  const keysFile = join(dataDir, 'encryption-keys')
  readOrMakeSecret(keysFile, () => generateEncryptionKey('k1'))
  return { ...env, ENCRYPTION_KEYS_FILE: keysFile }
}

function unready(service: ServedService): readonly string[] {
  return Object.entries(service.ready().checks)
    .filter(([, value]) => value !== 'ok')
    .map(([name, value]) => `${name} (${value})`)
}
