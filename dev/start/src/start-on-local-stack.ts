import { checkPort, start, type StandaloneConfig, type StandaloneDeps } from '@ariftly-services/standalone'
import type { ServedService } from '@ariftly/http'
import { startStack, type PartName } from '@ariftly/local-stack'
import { sleep, withReleasers } from '@ariftly/runtime'
import { checkOwnParts } from './check-own-parts.ts'
import { localEnvironment, readAddresses } from './local-environment.ts'

/**
 * Starts Kafka, Postgres and Redis where their addresses are not given, and `standalone` with the addresses of all three. A part
 * that ends unexpectedly is started again. Nothing is started, and no folder made, when a setting is wrong or the port is taken.
 */
export async function startOnLocalStack(config: StandaloneConfig, deps: StandaloneDeps): Promise<ServedService> {
  checkOwnParts(deps.env)
  await checkPort(config)
  return withReleasers(deps.log, async (releasers) => {
    deps.progress('Starting Kafka, Postgres and Redis')
    const stack = await startStack({
      dataDir: config.DATA_DIR,
      env: { ...deps.env, ...readAddresses(deps.env) },
      progress: (line) => deps.progress(line),
      onExit: (name, detail) => void revive(name, detail),
    })
    releasers.add('stack', () => stack.close())
    const served = await start(config, { ...deps, env: localEnvironment(deps.env, stack) })

    async function revive(name: PartName, detail: string): Promise<void> {
      deps.progress(detail)
      await sleep(1000, deps.signal)
      if (deps.signal.aborted) return
      deps.progress(`Starting ${name} again`)
      await stack[name]
        ?.start()
        .catch((error: unknown) => deps.log.error({ err: error }, 'a part could not be started again'))
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
