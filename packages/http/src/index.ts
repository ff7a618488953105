export { hasScope, isScope, SCOPES } from './caller.ts'
export type { Caller, Scope } from './caller.ts'
export type { ConnectionFront, ConnectionTimeouts, FrontConnections } from './connection-front.ts'
export { createRouter, createServiceRouter } from './create-router.ts'
export type { RouteCall, RouteHandler, RouterOptions } from './create-router.ts'
export { createCursorCodec } from './cursor.ts'
export type { CursorBound, CursorCodec } from './cursor.ts'
// Its function is at `@ariftly/http/express`, so that who does without express does not load it.
export type { ApiCall, ApiHandler, ExpressAppOptions, OpenHandler } from './express-app.ts'
export { parseInstant } from './instant.ts'
export type { Instant } from './instant.ts'
export { createRouteMatcher, matchRoute } from './match-route.ts'
export type { MatchRoute, NamedRoute, RouteMatch } from './match-route.ts'
export { isUtf8Type, mediaTypeOf } from './media-type.ts'
export { observeRequests } from './observe-request.ts'
export { createOpsListener, OPS_PATHS } from './ops-listener.ts'
export type { OpsOptions } from './ops-listener.ts'
export { pathOf, Problem, problemBody, problemOfError, sendError, sendProblem } from './problem.ts'
export type { ProblemDetails, ProblemError } from './problem.ts'
export { PROBLEMS } from './problem-catalogue.ts'
export { readBody, readJsonBody } from './read-body.ts'
export {
  booleanParam,
  choiceParam,
  cursorParam,
  identifierParam,
  instantParam,
  integerParam,
  limitParam,
  listParam,
  readQuery,
  textParam,
} from './read-query.ts'
export type { Param, QueryOf, QuerySpec } from './read-query.ts'
export { createRequestContext, requestContext } from './request-context.ts'
export type { RequestContext } from './request-context.ts'
export { startRequestSpan } from './request-span.ts'
export { isAdministrativeWrite, routeOf, ROUTES } from './routes.ts'
export type { Route, RouteName, ServiceName } from './routes.ts'
export { runService } from './run-service.ts'
export type { RunServiceOptions } from './run-service.ts'
export { sendJson } from './send-json.ts'
export { serveHttp } from './serve-http.ts'
export type { HttpServer, ServeHttpOptions } from './serve-http.ts'
export { serveService } from './serve-service.ts'
export type { HttpService, ServedService, ServeServiceOptions } from './serve-service.ts'
