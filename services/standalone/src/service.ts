import { join, resolve } from 'node:path'
import { migrate, migrateConfig } from '@ariftly-services/migrate'
import { generateApiKey } from '@ariftly/auth'
import { serveService, type ServedService } from '@ariftly/http'
import { startStack, type PartName } from '@ariftly/local-stack'
import { readConfig, sleep, withReleasers, type ServiceDeps } from '@ariftly/runtime'
import { renderBanner } from './banner.ts'
import { checkOwnParts } from './check-own-parts.ts'
import { checkPort } from './check-port.ts'
import { startServices } from './compose.ts'
import type { StandaloneConfig } from './config.ts'
import { completeEnvironment, readGiven } from './local-environment.ts'
import { readOrMakeSecret } from './secrets.ts'

/** What `standalone` needs besides the usual. */
export interface StandaloneDeps extends ServiceDeps {
  /** The environment of the services; addresses and keys that it lacks are filled in. */
  readonly env: NodeJS.ProcessEnv
  /** Called with a few words about each step. */
  progress(line: string): void
  /** Shown once, when all works. */
  announce(text: string): void
}

/**
 * Runs the whole system in one process on one port: starts Kafka, Postgres and Redis where their addresses are not given, makes them
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
        renderBanner({
          baseUrl,
          apiKey,
          kafka: stack.addresses.kafka,
          dataDir: resolve(config.DATA_DIR),
          tookMs: performance.now() - startedMs,
        }),
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

function unready(service: ServedService): readonly string[] {
  return Object.entries(service.ready().checks)
    .filter(([, value]) => value !== 'ok')
    .map(([name, value]) => `${name} (${value})`)
}
