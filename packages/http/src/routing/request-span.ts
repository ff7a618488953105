import type { Tracing } from '@ariftly/runtime'
import { formatTraceparent, parseTraceparent } from '@ariftly/trace-context'
import type { RequestContext } from '../answers/request-context.ts'
import { ROUTES } from './routes.ts'

/** What the span of a request says about it. */
export interface TracedRequest {
  readonly method: string | undefined
  readonly path: string
  /** The route's name, or `none`. */
  readonly route: string
  /** The caller's header, unread. */
  readonly traceparent: unknown
}

/**
 * Starts the span of a request, if it is sampled, as a child of its caller's. The span's context becomes the request's, and
 * its ids are in the request's log line. It has only the path of the URL: a query may hold a token.
 */
export function startRequestSpan(tracing: Tracing, context: RequestContext, request: TracedRequest): void {
  const path = PATHS.get(request.route)
  const method = METHODS.has(request.method) ? request.method : undefined
  const span = tracing.start({
    name: path === undefined ? (method ?? 'HTTP') : `${method} ${path}`,
    kind: 'server',
    parent: parseTraceparent(request.traceparent),
    attributes: {
      'http.request.method': method ?? '_OTHER',
      'http.request.method_original': method === undefined ? request.method : undefined,
      'http.route': path,
      'url.path': request.path,
      'url.scheme': 'http',
      'ariftly.request_id': context.requestId,
    },
  })
  if (span === undefined) return
  context.span = span
  context.traceparent = formatTraceparent(span.context)
  context.fields['trace_id'] = span.context.traceId
  context.fields['span_id'] = span.context.spanId
}

/** The methods of the conventions; `node:http` accepts more, such as PROPFIND. */
const METHODS: ReadonlySet<string | undefined> = new Set(
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' '),
)
const PATHS: ReadonlyMap<string, string> = new Map(ROUTES.map(({ name, path }) => [name, path]))
