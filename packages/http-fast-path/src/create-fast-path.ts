import {
  createRequestContext,
  observeRequests,
  Problem,
  problemBody,
  problemOfError,
  routeOf,
  startRequestSpan,
  type ConnectionFront,
  type RouteName,
} from '@ariftly/http'
import type { Logger, Metrics, Tracing } from '@ariftly/runtime'
import { FastPathConnections } from './connections.ts'
import { createDeferRefusal } from './defer-refusals.ts'
import { FastPathCall } from './fast-path-call.ts'
import type { FastPost } from './read-request.ts'

/** A response, with its headers beside those that were set on the {@link FastPathCall}. */
export interface FastResponse {
  readonly status: number
  /** Values are ASCII. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Answers a post like a `RouteHandler`: a Problem that it throws is sent as it is, any other error as 500 or 503. A frequent Problem may be returned instead, as
 * a throw costs more than the rest of a 429.
 */
export type FastPathHandler = (post: FastPost, call: FastPathCall) => Promise<FastResponse | Problem>

/** What the fast path of a route needs. */
export interface FastPathOptions {
  readonly route: RouteName
  readonly handler: FastPathHandler
  readonly log: Logger
  readonly metrics: Metrics
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
  /** As given to the router. With any but `*` responses vary by origin. */
  readonly corsOrigins?: readonly string[]
}

/** How the connections of the fast path have a post answered. */
export interface FastPathService {
  readonly path: string
  /** Starts a call; its handler has not run yet. */
  open(post: FastPost): FastPathCall
  /** Never rejects. */
  answer(post: FastPost, call: FastPathCall): Promise<FastResponse>
  /** Ends a call, when its response was given to the system (`complete`) or the client had gone. */
  ended(call: FastPathCall, status: number, complete: boolean): void
}

/**
 * Creates the fast path of one route: a second reader of HTTP/1.1 in front of `node:http`, for whole and plain POSTs. Request id, log line, metrics, spans
 * and problems are those of `createRouter`.
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

  async function answer(post: FastPost, call: FastPathCall): Promise<FastResponse> {
    try {
      const response = await handler(post, call)
      return response instanceof Problem ? await responseOf(response, call) : response
    } catch (error) {
      const { requestId } = call.context
      return await responseOf(problemOfError(error, { requestId, method, path, log }), call)
    }
  }

  async function responseOf(problem: Problem, call: FastPathCall): Promise<FastResponse> {
    const { context } = call
    context.refusedKey = problem.details.refusedKey
    if (context.refusedKey !== undefined) await deferRefusal()
    const headers = { ...problem.details.headers, ...PROBLEM_HEADERS }
    return { status: problem.status, headers, body: JSON.stringify(problemBody(problem, path, context.requestId)) }
  }

  function ended(call: FastPathCall, status: number, complete: boolean): void {
    call.close()
    const { startedMs } = call
    observer.ended({ method, path, route, status: complete ? status : 0, complete, startedMs }, call.context)
  }

  return { path, open, answer, ended }
}

const VARY = { Vary: 'Origin' } as const
const PROBLEM_HEADERS = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } as const
