import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { ByteBudget } from '@ariftly/fairness'
import type { Caller, Scope } from './caller.ts'
import { allowOrigin, answerPreflight } from './cors.ts'
import { unroutable } from './create-router.ts'
import { createRouteMatcher, type NamedRoute } from './match-route.ts'
import { observeRequests, type RoutingOptions } from './observe-request.ts'
import { pathOf, sendError, sendProblem } from '../answers/problem.ts'
import { readUnparsedJson } from '../input/read-body.ts'
import { readQuery } from '../input/read-query.ts'
import { requestContext, type RequestContext } from '../answers/request-context.ts'
import { routeOf, type RouteName } from './routes.ts'

/** What a handler of a route with a scope is given. */
export interface ApiCall {
  readonly caller: Caller
  /** The decoded `{parameters}` of the path. */
  readonly params: Readonly<Record<string, string>>
  /** The path with its query, for {@link readQuery}. */
  readonly url: string
  /**
   * The JSON body of POST, PUT and PATCH; `undefined` when there is none. Each access parses it, so that a call that waits holds its
   * bytes alone.
   */
  readonly body: unknown
  readonly context: RequestContext
  /**
   * Authenticates the call again, after a wait: its key may have been revoked, or its tenant suspended. Throws or rejects as
   * {@link RequestAuthenticator.authenticate} does.
   */
  readonly authenticateAgain: () => Caller | Promise<Caller>
}

/** Answers one route. Errors that it throws or rejects with are answered: a Problem with itself, others with 500 or 503. */
export type ApiHandler = (call: ApiCall, req: Request, res: Response) => void | Promise<void>

/** Answers a route without a scope (documents). Such routes have no parameters: a query is 400. */
export type OpenHandler = (req: Request, res: Response) => void | Promise<void>

/** Authenticates an `Authorization` header; throws or rejects with a 401, 403 or 503 Problem. */
export interface RequestAuthenticator {
  authenticate(authorization: string | undefined, scope: Scope | 'any'): Caller | Promise<Caller>
}

/** Options of {@link createExpressApp}. */
export interface ExpressAppOptions extends RoutingOptions {
  readonly auth: RequestAuthenticator
  /** Handlers of the routes that have a scope. */
  readonly routes: Readonly<Partial<Record<RouteName, ApiHandler>>>
  /** Handlers of the routes without one. */
  readonly open?: Readonly<Partial<Record<RouteName, OpenHandler>>>
  /** Largest JSON body; default 256 KiB. */
  readonly jsonBytesMax?: number
  /** What the bodies of requests under way may hold; default 64 MiB, a tenant a quarter of what the others leave. */
  readonly bodyMemory?: BodyMemoryLimits
}

/** How many bytes of bodies may be held at the same time, complete or not. */
interface BodyMemoryLimits {
  readonly bytesMax: number
  /**
   * The share, below 1, that one tenant may hold of what the others leave. So there is always room for one more tenant: with a
   * quarter, ten tenants that hold their maximum leave 5 % of it.
   */
  readonly tenantShare: number
}

const BODY_MEMORY: BodyMemoryLimits = { bytesMax: 64 * 1024 * 1024, tenantShare: 0.25 }

/**
 * Makes an express app of handlers by the route table: request id, one line in the log, authentication with the route's
 * scope, then the JSON body, then the handler; 404 and 405 problems for all else. The app is a `RequestListener`.
 */
export function createExpressApp(options: ExpressAppOptions): Express {
  const { routes, open = {}, log } = options
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // Paths are exact, as in the route table; queries are read by `readQuery` alone.
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.set('query parser', false)

  const { bytesMax, tenantShare } = options.bodyMemory ?? BODY_MEMORY
  const bodies = new ByteBudget({ bytesMax, tenantMax: (left) => left * tenantShare })
  const names = [...Object.keys(routes), ...Object.keys(open)] as RouteName[]
  app.use(createObserver(options, names.map(routeOf)))
  for (const [name, handler] of Object.entries(routes) as [RouteName, ApiHandler][]) {
    addRoute(app, routeOf(name), apiHandler({ ...options, bodies }, routeOf(name), handler))
  }
  for (const [name, handler] of Object.entries(open) as [RouteName, OpenHandler][])
    addRoute(app, routeOf(name), withoutQuery(handler))
  app.use(createNotFound(names.map(routeOf)))
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    // Express's word for a path that is not percent-encoded UTF-8: nothing can be there.
    sendError(req, res, error instanceof URIError ? unroutable(undefined) : error, log)
  })
  return app
}

function addRoute(app: Express, route: NamedRoute, handler: OpenHandler): void {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
  const method = route.method.toLowerCase() as Lowercase<NamedRoute['method']>
  app[method](path, async (req, res) => await handler(req, res))
}

function withoutQuery(handler: OpenHandler): OpenHandler {
  return (req, res) => {
    readQuery(req.originalUrl, {})
    return handler(req, res)
  }
}

function apiHandler(
  options: Pick<ExpressAppOptions, 'auth' | 'jsonBytesMax'> & { readonly bodies: ByteBudget },
  route: NamedRoute,
  handler: ApiHandler,
): OpenHandler {
  const { auth, bodies, jsonBytesMax = 256 * 1024 } = options
  const { scope } = route
  if (scope === 'none') throw new TypeError(`The route ${route.name} has no scope: its handler belongs to "open".`)
  const hasBody = route.method === 'POST' || route.method === 'PUT' || route.method === 'PATCH'

  return async (req, res) => {
    const context = requestContext(req, res)
    const authenticate = () => auth.authenticate(req.headers.authorization, scope)
    const caller = await authenticate()
    context.tenant = caller.tenant
    context.fields['tenant'] = caller.tenant
    context.fields['key_id'] = caller.keyId
    // Answers hold what one key may see: no cache in between keeps them.
    res.setHeader('Cache-Control', 'no-store')
    const params = req.params as Readonly<Record<string, string>>
    const share = bodies.open(caller.tenant)
    try {
      const parse = hasBody ? await readUnparsedJson(req, jsonBytesMax, (bytes) => share.take(bytes)) : undefined
      const call: ApiCall = {
        caller,
        params,
        url: req.originalUrl,
        get body() {
          return parse?.()
        },
        context,
        authenticateAgain: authenticate,
      }
      await handler(call, req, res)
    } finally {
      share.close()
    }
  }
}

function createObserver(options: ExpressAppOptions, routes: readonly NamedRoute[]) {
  const { corsOrigins = [] } = options
  const observer = observeRequests(options)
  const match = createRouteMatcher(routes)
  return (req: Request, res: Response, next: NextFunction): void => {
    const found = match(req.method, pathOf(req))
    observer.begin(
      req,
      res,
      requestContext(req, res),
      found !== undefined && 'route' in found ? found.route.name : 'none',
    )
    if (corsOrigins.length > 0) {
      allowOrigin(req, res, corsOrigins)
      if (answerPreflight(req, res, found)) return
    }
    next()
  }
}

function createNotFound(routes: readonly NamedRoute[]) {
  const match = createRouteMatcher(routes)
  return (req: Request, res: Response): void => sendProblem(req, res, unroutable(match(req.method, pathOf(req))))
}
