import type { IncomingMessage, ServerResponse } from 'node:http'
import { createLineWriter, type Logger, type Metrics, type Span, type Tracing } from '@ariftly/runtime'
import { pathOf } from '../answers/problem.ts'
import { createRefusedLines } from './refused-lines.ts'
import type { RequestContext } from '../answers/request-context.ts'
import { startRequestSpan } from './request-span.ts'

/** A request that has ended. */
interface EndedRequest {
  readonly method: string | undefined
  readonly path: string
  /** The route's name, or `none`. */
  readonly route: string
  /** 0 if the client left before an answer began. */
  readonly status: number
  /** Whether the complete answer was given to the kernel. */
  readonly complete: boolean
  /** By `performance.now`. */
  readonly startedMs: number
}

/** Measures requests. */
export interface RequestObserver {
  /** Starts the measuring of one request; `route` is the route's name, or `none`. */
  begin(req: IncomingMessage, res: ServerResponse, context: RequestContext, route: string): void
  /** Records an ended request. */
  ended(request: EndedRequest, context: RequestContext): void
}

/** What all that answers requests has in common. */
export interface RoutingOptions {
  readonly log: Logger
  readonly metrics: Metrics
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
  /** Origins whose pages may read the answers (CORS); `*` is any; default none. */
  readonly corsOrigins?: readonly string[]
}

/**
 * Makes what logs each request in one wide line at its end (refusals of a key that has had its share: once a second), counts and times it by route and status, and
 * traces it.
 */
export function observeRequests(options: Omit<RoutingOptions, 'corsOrigins'>): RequestObserver {
  const { log, metrics, tracing } = options
  const writeLine = createLineWriter(log, 'request')
  const noteRefused = createRefusedLines(writeLine)
  const requests = metrics.counter({
    name: 'ariftly_http_requests_total',
    help: 'Requests that ended, by route and status (0: the client left before an answer began).',
    labels: ['route', 'status'],
  })
  const duration = metrics.histogram({
    name: 'ariftly_http_request_duration_seconds',
    help: 'From the request to the end of its answer.',
    labels: ['route'],
  })

  function begin(req: IncomingMessage, res: ServerResponse, context: RequestContext, route: string): void {
    const startedMs = performance.now()
    if (tracing !== undefined) {
      const { method, headers } = req
      startRequestSpan(tracing, context, { method, path: pathOf(req), route, traceparent: headers['traceparent'] })
    }
    res.once('close', () => {
      const status = res.headersSent ? res.statusCode : 0
      const { method } = req
      ended({ method, path: pathOf(req), route, status, complete: res.writableFinished, startedMs }, context)
    })
  }

  function ended(request: EndedRequest, { requestId, refusedKey, fields, span }: RequestContext): void {
    const { method, path, route, status, complete } = request
    const ms = performance.now() - request.startedMs
    requests.inc({ route, status })
    duration.observe({ route }, ms / 1000)
    if (span !== undefined) endSpan(span, status)
    if (!log.isLevelEnabled('info')) return
    const line = {
      request_id: requestId,
      method,
      path,
      route,
      status,
      complete,
      duration_ms: Math.round(ms * 10) / 10,
      ...fields,
    }
    if (refusedKey === undefined) writeLine(line)
    else noteRefused(refusedKey, { ...line, key_id: refusedKey })
  }

  return { begin, ended }
}

/** By the conventions for HTTP servers only a status of ours, 5xx, is an error; 0 is no status. */
function endSpan(span: Span, status: number): void {
  span.end({
    error: status >= 500 ? String(status) : undefined,
    attributes: { 'http.response.status_code': status === 0 ? undefined : status },
  })
}
