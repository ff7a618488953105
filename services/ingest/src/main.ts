import { serveService } from '@ariftly/http'
import { runMain } from '@ariftly/runtime'
import { ingestConfig } from './config.ts'
import { start } from './service.ts'

await runMain({
  name: 'ingest',
  config: ingestConfig,
  start: async (config, deps) =>
    await serveService(
      await start(config, deps),
      { host: config.HOST, port: config.PORT, metricsPort: config.METRICS_PORT, drainMs: config.DRAIN_MS },
      deps,
    ),
})
