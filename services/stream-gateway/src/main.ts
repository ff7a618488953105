import { serveService } from '@ariftly/http'
import { listenConfig, runMain } from '@ariftly/runtime'
import { start, streamGatewayConfig } from './service.ts'

await runMain({
  name: 'stream-gateway',
  config: { ...streamGatewayConfig, ...listenConfig },
  async start(config, deps) {
    const { HOST: host, PORT: port, METRICS_PORT: metricsPort, DRAIN_MS: drainMs } = config
    return await serveService(await start(config, deps), { host, port, metricsPort, drainMs }, deps)
  },
})
