import type { RequestListener } from 'node:http'
import { sleep, type Readiness, type Running, type ServiceDeps } from '@ariftly/runtime'
import type { ConnectionFront } from './connection-front.ts'
import { unroutable } from '../routing/create-router.ts'
import { createOpsListener, OPS_PATHS } from './ops-listener.ts'
import { pathOf, sendProblem } from '../answers/problem.ts'
import { serveHttp, type HttpServer } from './serve-http.ts'

/** Where a service is served. */
export interface ServeServiceOptions {
  readonly host: string
  readonly port: number
  /** Port of `/livez`, `/readyz` and `/metrics`; default: `port`, with the service's routes. */
  readonly metricsPort: number | undefined
  /** DRAIN_MS, the time for the whole shutdown; answers have 80 % of it and are then cut. */
  readonly drainMs: number
  /** SHUTDOWN_DELAY_MS, the part of it in which a service with routes still serves, so that load balancers see that it is not ready; default 0. */
  readonly shutdownDelayMs?: number
}

/** A service with routes, and what may answer some of them before `node:http` reads them. */
export interface HttpService extends Running {
  readonly connectionFront?: ConnectionFront | undefined
}

/** A service that is served. */
export interface ServedService extends Running {
  readonly port: number
  readonly metricsPort: number
}

/**
 * Serves a started service; used by every `main.ts`. On drain, `/readyz` answers 503 and answers have `Connection: close`;
 * after the shutdown delay, in which load balancers notice, the service drains, then no connection is accepted any more and
 * pending answers end. Ops routes on their own port answer until the service is closed.
 */
export async function serveService(
  running: HttpService,
  options: ServeServiceOptions,
  deps: Pick<ServiceDeps, 'log' | 'metrics' | 'signal'>,
): Promise<ServedService> {
  const { host, port } = options
  // The rest of the time is for closing backends.
  const graceMs = options.drainMs * 0.8
  let draining = false
  const ops = createOpsListener({ ready, metrics: deps.metrics })
  const isSeparate = options.metricsPort !== undefined && (options.metricsPort !== port || port === 0)
  const listener = isSeparate ? (running.router ?? nothing) : withOps(running, ops)
  const { name, connectionFront } = running
  const server = await serveHttp({ name, host, port, listener, connectionFront, log: deps.log })
  const opsServer = isSeparate ? await serveOps(server) : server

  function ready(): Readiness {
    if (draining) return { ready: false, checks: { ...running.ready().checks, process: 'draining' } }
    return running.ready()
  }

  async function serveOps(first: HttpServer): Promise<HttpServer> {
    try {
      return await serveHttp({
        name: `${running.name} ops`,
        host,
        port: options.metricsPort ?? 0,
        listener: ops,
        log: deps.log,
      })
    } catch (error) {
      await first.close(0)
      throw error
    }
  }

  async function drain(): Promise<void> {
    const startedMs = performance.now()
    draining = true
    server.drain()
    if (running.router !== undefined) await sleep(Math.min(options.shutdownDelayMs ?? 0, graceMs), deps.signal)
    await running.drain?.()
    await server.close(Math.max(0, graceMs - (performance.now() - startedMs)))
  }

  async function close(): Promise<void> {
    draining = true
    await server.close(graceMs)
    await running.close()
    if (opsServer !== server) await opsServer.close(100)
  }

  return { ...running, ready, drain, close, port: server.port, metricsPort: opsServer.port }
}

function withOps(running: Running, ops: RequestListener): RequestListener {
  const router = running.router ?? nothing
  return (req, res) => (OPS_PATHS.includes(pathOf(req)) ? ops(req, res) : router(req, res))
}

const nothing: RequestListener = (req, res) => sendProblem(req, res, unroutable(undefined))
