import { listenConfig, runMain, type ConfigOf, type ConfigSpec, type ServiceDeps } from '@ariftly/runtime'
import { serveService, type HttpService } from './serve-service.ts'

/** Options of {@link runService}. */
export interface RunServiceOptions<S extends ConfigSpec> {
  /** The name of the service in its log and its traces. */
  readonly name: string
  readonly config: S
  start(config: ConfigOf<S>, deps: ServiceDeps): Promise<HttpService>
}

/** Runs a service as this process, on the address of its environment: all that a `main.ts` does. */
export async function runService<S extends ConfigSpec>(options: RunServiceOptions<S>): Promise<void> {
  await runMain({
    name: options.name,
    config: { ...options.config, ...listenConfig },
    async start(config, deps) {
      const running = await options.start(config as unknown as ConfigOf<S>, deps)
      const listen = config as unknown as ListenConfig
      const {
        HOST: host,
        PORT: port,
        METRICS_PORT: metricsPort,
        DRAIN_MS: drainMs,
        SHUTDOWN_DELAY_MS: shutdownDelayMs,
      } = listen
      return await serveService(running, { host, port, metricsPort, drainMs, shutdownDelayMs }, deps)
    },
  })
}

type ListenConfig = ConfigOf<typeof listenConfig>
