import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { answerPreflight, allowOrigin } from './cors.ts'
import { createRouteMatcher, matchRoute, type NamedRoute } from './match-route.ts'
import { observeRequests, type RoutingOptions } from './observe-request.ts'
import { Problem, pathOf, sendError, sendProblem } from '../answers/problem.ts'
import { requestContext, type RequestContext } from '../answers/request-context.ts'
import { routeOf, type RouteName, type ServiceName } from './routes.ts'

/** What a handler knows of its request in addition to node's two objects. */
interface RouteCall {
  readonly route: NamedRoute
  /** The decoded `{parameters}` of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly context: RequestContext
}

/** Answers one route. Errors that it throws or rejects with are answered: a Problem with itself, others with 500 or 503. */
export type RouteHandler = (req: IncomingMessage, res: ServerResponse, call: RouteCall) => void | Promise<void>

/** Options of {@link createRouter}. */
export interface RouterOptions extends RoutingOptions {
  readonly handlers: Readonly<Partial<Record<RouteName, RouteHandler>>>
}

/**
 * Makes the listener of a service on bare `node:http`: finds the route, gives every answer its request id, logs one line
 * and counts it. Unknown paths are 404 problems, known paths with another method 405 with `Allow`.
 */
export function createRouter(options: RouterOptions): RequestListener {
  const { handlers, log, corsOrigins = [] } = options
  const names = Object.keys(handlers) as RouteName[]
  const match = createRouteMatcher(names.map(routeOf))
  const observer = observeRequests(options)

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const context = requestContext(req, res)
    const found = match(req.method ?? 'GET', pathOf(req))
    observer.begin(req, res, context, found !== undefined && 'route' in found ? found.route.name : 'none')
    if (corsOrigins.length > 0) {
      allowOrigin(req, res, corsOrigins)
      if (answerPreflight(req, res, found)) return
    }
    if (found === undefined || !('route' in found)) return sendProblem(req, res, unroutable(found))
    try {
      await handlers[found.route.name]?.(req, res, { ...found, context })
    } catch (error) {
      if (error instanceof Problem) context.refusedKey = error.details.refusedKey
      sendError(req, res, error, log)
    }
  }

  return (req, res) => void handle(req, res)
}

/**
 * Makes one listener of several services' by the route table; what `standalone` serves. Each service logs and counts its
 * own. A route whose service is absent is 404.
 */
export function createServiceRouter(
  services: Readonly<Partial<Record<ServiceName, RequestListener>>>,
): RequestListener {
  return (req, res) => {
    const found = matchRoute(methodOf(req), pathOf(req))
    const listener = found !== undefined && 'route' in found ? services[found.route.service] : undefined
    if (listener !== undefined) listener(req, res)
    else sendProblem(req, res, unroutable(found))
  }
}

/** A browser's preflight is routed by the method that it asks about. */
function methodOf(req: IncomingMessage): string {
  const asked = req.headers['access-control-request-method']
  return req.method === 'OPTIONS' && asked !== undefined ? asked : (req.method ?? 'GET')
}

/** 404, or 405 when the path has other methods. */
export function unroutable(found: { readonly allow: readonly string[] } | object | undefined): Problem {
  if (found === undefined || !('allow' in found)) {
    return new Problem(404, 'not_found', { detail: 'There is nothing at this path. All routes are at /docs.' })
  }
  const allow = found.allow.join(', ')
  return new Problem(405, 'method_not_allowed', { detail: `This path takes ${allow}.`, headers: { Allow: allow } })
}
