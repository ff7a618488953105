import { serveService } from '@ariftly/http'
import { listenConfig, runMain } from '@ariftly/runtime'
import { projectorConfig } from './config.ts'
import { start } from './service.ts'

await runMain({
  name: 'projector',
  config: { ...projectorConfig, ...listenConfig },
  async start(config, deps) {
    const { HOST: host, PORT: port, METRICS_PORT: metricsPort, DRAIN_MS: drainMs } = config
    return await serveService(await start(config, deps), { host, port, metricsPort, drainMs }, deps)
  },
})
