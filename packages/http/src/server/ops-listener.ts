import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Metrics, Readiness } from '@ariftly/runtime'
import { unroutable } from '../routing/create-router.ts'
import { pathOf, sendError, sendProblem } from '../answers/problem.ts'
import { requestContext } from '../answers/request-context.ts'
import { sendJson } from '../answers/send-json.ts'

/** Options of {@link createOpsListener}. */
export interface OpsOptions {
  ready(): Readiness
  readonly metrics: Metrics
}

/** The paths that {@link createOpsListener} answers. */
export const OPS_PATHS: readonly string[] = ['/livez', '/readyz', '/metrics']

/**
 * Makes the listener of `/livez` (200 as long as the process answers), `/readyz` (200 or 503, with every check by name) and
 * `/metrics` (Prometheus). They ask for no key and are not public.
 */
export function createOpsListener(options: OpsOptions): RequestListener {
  const { metrics } = options
  const pages: Readonly<Record<string, (res: ServerResponse) => void | Promise<void>>> = {
    '/livez': (res) => sendJson(res, 200, { status: 'alive' }),
    '/readyz': sendReadiness,
    '/metrics': sendMetrics,
  }

  function sendReadiness(res: ServerResponse): void {
    const { ready, checks } = options.ready()
    sendJson(res, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', checks })
  }

  async function sendMetrics(res: ServerResponse): Promise<void> {
    const text = await metrics.render()
    res.setHeader('Content-Type', metrics.contentType)
    res.end(text)
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // Gives the answer its X-Request-Id.
    requestContext(req, res)
    const path = pathOf(req)
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    if (page === undefined) return sendProblem(req, res, unroutable(undefined))
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return sendProblem(req, res, unroutable({ allow: ['GET', 'HEAD'] }))
    res.setHeader('Cache-Control', 'no-store')
    try {
      await page(res)
    } catch (error) {
      sendError(req, res, error, silent)
    }
  }

  return (req, res) => void handle(req, res)
}

/** A page that fails says so to who asked; the log has no use for it every few seconds. */
const silent = { error(): void {} }
