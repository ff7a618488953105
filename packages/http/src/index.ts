export { hasScope, isScope, SCOPES } from './routing/caller.ts'
export type { Caller, Scope } from './routing/caller.ts'
export type { ConnectionFront, ConnectionTimeouts, FrontConnections } from './server/connection-front.ts'
export { createRouter, createServiceRouter } from './routing/create-router.ts'
export type { RouteHandler } from './routing/create-router.ts'
export { createCursorCodec } from './input/cursor.ts'
export type { CursorCodec } from './input/cursor.ts'
// Its function is at `@ariftly/http/express`, so that who does without express does not load it.
export type { ApiCall, ApiHandler, OpenHandler } from './routing/express-app.ts'
export { parseInstant } from './input/instant.ts'
export type { Instant } from './input/instant.ts'
export { matchRoute } from './routing/match-route.ts'
export type { NamedRoute } from './routing/match-route.ts'
export { isUtf8Type, mediaTypeOf } from './input/media-type.ts'
export { observeRequests, type RoutingOptions } from './routing/observe-request.ts'
export { pathOf, Problem, problemBody, problemOfError, sendError } from './answers/problem.ts'
export type { ProblemError } from './answers/problem.ts'
export { PROBLEMS } from './answers/problem-catalogue.ts'
export { readBody, readJsonBody, unsupportedMediaType } from './input/read-body.ts'
export {
  booleanParam,
  choiceParam,
  cursorParam,
  filterParams,
  identifierParam,
  instantParam,
  limitParam,
  listParam,
  readQuery,
  textParam,
} from './input/read-query.ts'
export type { Param, QueryOf } from './input/read-query.ts'
export { createStreamIds } from './input/stream-position.ts'
export type { PositionInLog, Sealer, StreamIds } from './input/stream-position.ts'
export { createRequestContext, requestContext } from './answers/request-context.ts'
export type { RequestContext } from './answers/request-context.ts'
export { startRequestSpan } from './routing/request-span.ts'
export { isAdministrativeWrite, routeOf, ROUTES } from './routing/routes.ts'
export type { Route, RouteName, ServiceName } from './routing/routes.ts'
export { runService } from './server/run-service.ts'
export { sendJson } from './answers/send-json.ts'
export { serveHttp } from './server/serve-http.ts'
export type { HttpServer } from './server/serve-http.ts'
export { serveService } from './server/serve-service.ts'
export type { HttpService, ServedService } from './server/serve-service.ts'
