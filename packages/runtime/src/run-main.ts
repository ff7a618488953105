import { deferred, withTimeout } from '@ariftly/async'
import { createBackends } from './backends.ts'
import { ConfigFault, readConfig, type ConfigOf, type ConfigSpec } from './config.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { createLogger, type Logger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import type { Running, ServiceDeps } from './running.ts'
import { settings } from './settings.ts'
import { startTracing } from './tracing/start-tracing.ts'
import { tracingConfig } from './tracing/tracing-config.ts'

/** Options of {@link runMain}. */
export interface MainOptions<S extends ConfigSpec> {
  /** The name of the service in its log. */
  readonly name: string
  readonly config: S
  /** Starts the service; it may take as long as it wants, but a signal meanwhile ends the process without its release. */
  start(config: ConfigOf<S>, deps: ServiceDeps): Promise<Running>
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv
}

/** Under `npm start` one Ctrl-C arrives twice: from the terminal, and from npm, which forwards it. */
const SAME_SIGNAL_MS = 300

/** Settings of every process, in addition to its service's. */
const processSettings = { LOG_LEVEL: settings.LOG_LEVEL, DRAIN_MS: settings.DRAIN_MS, ...tracingConfig } as const

/**
 * Runs a service as this process: reads the configuration (all faults are printed, exit code 78), starts it (exit code 78 for
 * an unsuitable server) and waits for its end. The first SIGTERM or SIGINT drains, aborts the signal, then closes, all within
 * DRAIN_MS; a second one exits immediately with 128 + the signal's number. An unhandled rejection or exception
 * is logged as fatal and ends the process in the same order with exit code 1. Resolves when all is closed.
 */
export async function runMain<S extends ConfigSpec>(options: MainOptions<S>): Promise<void> {
  const env = options.env ?? process.env
  const config = readOrExplain(options.config, env)
  if (config === undefined) return

  const { DRAIN_MS: drainMs } = config.process
  const log = createLogger({ service: options.name, level: config.process.LOG_LEVEL })
  const abort = new AbortController()
  const end = watchForEnd(log)
  const metrics = createMetrics({ process: true })
  const traces = await startTracing({ config: config.process, service: options.name, log, metrics })
  const backends = createBackends({ metrics, log })
  const deps = { log, metrics, backends, signal: abort.signal, tracing: traces?.tracing }

  const started = options.start(config.service, deps)
  const running = await Promise.race([started.catch(failedStart), end.requested.then(() => undefined)])
  if (running === undefined) await abandonStart(started)
  else {
    log.info({ node: process.version }, 'started')
    await end.requested
    await stop(running)
  }
  process.exitCode = end.exitCode()
  // A resource that its owner did not close, or a hanging collector, must not turn a clean stop into a kill.
  setTimeout(() => process.exit(), 1000).unref()
  // Last, as closing makes spans.
  await traces?.close()

  function failedStart(error: unknown): undefined {
    log.fatal({ err: error }, 'the start failed')
    end.request(exitCodeOf(error))
    return undefined
  }

  /** Handles a signal during the start: aborts the start and closes what it has started. */
  async function abandonStart(starting: Promise<Running>): Promise<void> {
    abort.abort()
    const service = await withTimeout(starting, drainMs).catch(() => undefined)
    if (service !== undefined) await withTimeout(close(service), drainMs).catch(() => {})
  }

  async function stop(service: Running): Promise<void> {
    const startedMs = performance.now()
    const isClosed = await withTimeout(drainAndClose(service), drainMs).then(
      () => true,
      () => false,
    )
    const tookMs = Math.round(performance.now() - startedMs)
    if (isClosed) log.info({ took_ms: tookMs }, 'stopped')
    else log.error({ took_ms: tookMs }, 'stopped before everything was closed')
  }

  async function drainAndClose(service: Running): Promise<void> {
    try {
      await service.drain?.()
    } catch (error) {
      end.request(EXIT.failed)
      log.error({ err: error }, 'draining failed')
    }
    abort.abort()
    await close(service)
  }

  async function close(service: Running): Promise<void> {
    try {
      await service.close()
    } catch (error) {
      end.request(EXIT.failed)
      log.error({ err: error }, 'closing failed')
    }
  }
}

interface BothConfigs<S extends ConfigSpec> {
  readonly process: ConfigOf<typeof processSettings>
  readonly service: ConfigOf<S>
}

function readOrExplain<S extends ConfigSpec>(spec: S, env: NodeJS.ProcessEnv): BothConfigs<S> | undefined {
  try {
    const all = readConfig({ ...processSettings, ...spec }, env)
    return { process: all, service: all as unknown as ConfigOf<S> }
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT.config
    return undefined
  }
}

interface End {
  readonly requested: Promise<void>
  request(exitCode: number): void
  exitCode(): number
}

function watchForEnd(log: Logger): End {
  let code: number = EXIT.ok
  let firstMs: number | undefined
  const requested = deferred()

  function request(exitCode: number): void {
    code = Math.max(code, exitCode)
    requested.resolve()
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (firstMs === undefined) {
      firstMs = performance.now()
      log.info({ signal }, 'stopping')
      request(EXIT.ok)
    } else if (performance.now() - firstMs > SAME_SIGNAL_MS) {
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
  }

  function onFatal(error: unknown): void {
    log.fatal({ err: error }, 'unexpected error, stopping')
    request(EXIT.failed)
  }

  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', onFatal)
  return { requested: requested.promise, request, exitCode: () => code }
}
