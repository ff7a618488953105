import {
  createRequestContext,
  observeRequests,
  Problem,
  problemBody,
  problemOfError,
  routeOf,
  startRequestSpan,
  type ConnectionFront,
  type RequestContext,
  type RouteName,
  type RoutingOptions,
} from '@ariftly/http'
import { FastPathConnections } from './connections.ts'
import { createDeferRefusal } from './defer-refusals.ts'
import { FastPathCall } from './fast-path-call.ts'
import type { FastPathService, FastResponse, WriteResponse } from './fast-path-service.ts'
import type { FastPost } from './read-request.ts'

/**
 * Answers a post like a `RouteHandler`: a thrown Problem is sent, any other error becomes 500 or 503. A frequent Problem may
 * be returned instead, as a throw costs more than the rest of a 429.
 */
export type FastPathHandler = (post: FastPost, call: FastPathCall) => Promise<FastResponse | Problem>

/** Options of {@link createFastPath}. */
export interface FastPathOptions extends RoutingOptions {
  readonly route: RouteName
  readonly handler: FastPathHandler
}

/**
 * Creates the fast path of one route: a second reader of HTTP/1.1 in front of `node:http`, for complete and plain POSTs.
 * Request id, log line, metrics, spans and problems are the same as with `createRouter`.
 */
export function createFastPath(options: FastPathOptions): ConnectionFront {
  const service = createService(options)
  return (server, timeouts) => new FastPathConnections(server, service, timeouts)
}

function createService(options: FastPathOptions): FastPathService {
  const { route, handler, log, tracing, corsOrigins = [] } = options
  const { method, path } = routeOf(route)
  const observer = observeRequests(options)
  const deferRefusal = createDeferRefusal()
  const variesByOrigin = corsOrigins.length > 0 && !corsOrigins.includes('*')

  function open({ headers }: FastPost): FastPathCall {
    const startedMs = performance.now()
    const { traceparent } = headers
    const context = createRequestContext(headers['x-request-id'], traceparent)
    if (tracing !== undefined) startRequestSpan(tracing, context, { method, path, route, traceparent })
    const call = new FastPathCall(context, startedMs)
    if (variesByOrigin) call.setHeaders(VARY)
    return call
  }

  /** One function for all steps, as each further promise of a post costs about a hundredth of it. */
  async function run(post: FastPost, write: WriteResponse): Promise<void> {
    const call = open(post)
    const { context, startedMs } = call
    let response: FastResponse
    try {
      const answer = await handler(post, call)
      response = answer instanceof Problem ? responseOf(answer, context) : answer
    } catch (error) {
      response = responseOf(problemOfError(error, { requestId: context.requestId, method, path, log }), context)
    }
    if (context.refusedKey !== undefined) await deferRefusal()
    const complete = write(response, call)
    observer.ended({ method, path, route, status: complete ? response.status : 0, complete, startedMs }, context)
  }

  function responseOf(problem: Problem, context: RequestContext): FastResponse {
    context.refusedKey = problem.details.refusedKey
    const headers = { ...problem.details.headers, ...PROBLEM_HEADERS }
    return { status: problem.status, headers, body: JSON.stringify(problemBody(problem, path, context.requestId)) }
  }

  return { path, run }
}

const VARY = { Vary: 'Origin' } as const
const PROBLEM_HEADERS = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } as const
