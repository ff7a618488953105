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
  /** Where `/livez`, `/readyz`, `/metrics` and the debug pages are; default: on `port`, beside the service's routes. */
  readonly metricsPort: number | undefined
  /** DRAIN_MS, the time for the whole end; answers have 80 % of it, after which they are cut. */
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
 * Serves a started service; the one way for a `main.ts`. When it drains, `/readyz` turns 503 and answers say `Connection: close`; once
 * fronts have had the time to see that, the service drains, then no connection is taken any more and answers under way end. On a port
 * of their own the ops routes answer until the service is closed.
 */
export async function serveService(
  running: HttpService,
  options: ServeServiceOptions,
  deps: ServiceDeps,
): Promise<ServedService> {
  const { host, port } = options
  // The rest of the time is for closing what stands behind the answers.
  const graceMs = options.drainMs * 0.8
  let draining = false
  const ops = createOpsListener({ ready, metrics: deps.metrics, debug: running.debug ?? {} })
  const apart = options.metricsPort !== undefined && (options.metricsPort !== port || port === 0)
  const listener = apart ? (running.router ?? nothing) : withOps(running, ops)
  const { name, connectionFront } = running
  const server = await serveHttp({ name, host, port, listener, connectionFront, log: deps.log })
  const opsServer = apart ? await serveOps(server) : server

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
  const paths = new Set([...OPS_PATHS, ...Object.keys(running.debug ?? {})])
  return (req, res) => (paths.has(pathOf(req)) ? ops(req, res) : router(req, res))
}

const nothing: RequestListener = (req, res) => sendProblem(req, res, unroutable(undefined))
