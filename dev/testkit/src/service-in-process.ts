import { serveService, type ServedService } from '@ariftly/http'
import {
  createBackends,
  createMetrics,
  readConfig,
  type ConfigOf,
  type ConfigSpec,
  type Logger,
  type Metrics,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { eventually } from './eventually.ts'
import { silentLog } from './silent-log.ts'

/** The settings of a service and its start, as its package exports them. */
interface ServiceModule<S extends ConfigSpec> {
  readonly config: S
  start(config: ConfigOf<S>, deps: ServiceDeps): Promise<Running>
}

/** How to start a service in this process. */
interface InProcessOptions {
  /** Default: what it logs is dropped. */
  readonly log?: Logger
  /** Default: of its own. */
  readonly metrics?: Metrics
  /** Default true: resolves when it is ready. */
  readonly untilReady?: boolean
  /** Default 5,000 ms. */
  readonly drainMs?: number
}

/** A service that is served on a port of its own. */
export interface InProcessService extends ServedService {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
}

/** Starts a service without its port. */
export async function startInProcess<S extends ConfigSpec>(
  service: ServiceModule<S>,
  env: Readonly<Record<string, string>>,
  options: InProcessOptions = {},
): Promise<Running> {
  return await readied(await service.start(readConfig(service.config, env), depsOf(options)), options)
}

/** Starts a service and serves it with its ops routes, as its `main.ts` does. */
export async function serveInProcess<S extends ConfigSpec>(
  service: ServiceModule<S>,
  env: Readonly<Record<string, string>>,
  options: InProcessOptions = {},
): Promise<InProcessService> {
  const deps = depsOf(options)
  const running = await service.start(readConfig(service.config, env), deps)
  const address = { host: '127.0.0.1', port: 0, metricsPort: undefined, drainMs: options.drainMs ?? 5000 }
  const served = await serveService(running, address, deps)
  return await readied({ ...served, url: `http://127.0.0.1:${served.port}` }, options)
}

function depsOf({ log = silentLog, metrics = createMetrics() }: InProcessOptions): ServiceDeps {
  return { log, metrics, backends: createBackends({ metrics, log }), signal: new AbortController().signal }
}

async function readied<R extends Running>(running: R, { untilReady = true }: InProcessOptions): Promise<R> {
  if (untilReady) await eventually(`${running.name} is ready`, () => running.ready().ready)
  return running
}
