import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger, Metrics } from '@ariftly/runtime'
import { pathOf } from './problem.ts'
import type { RequestContext } from './request-context.ts'

/** Starts the measuring of one request; `route` is the route's name, or `none`. */
export type ObserveRequest = (req: IncomingMessage, res: ServerResponse, context: RequestContext, route: string) => void

/** Makes what logs each request in one wide line at its end, and counts and times it by route and status. */
export function observeRequest(options: { readonly log: Logger; readonly metrics: Metrics }): ObserveRequest {
  const { metrics } = options
  // The names of this line's members are all ours: looking for secrets among them costs four times the line itself.
  const log = options.log.child({}, { redact: [] })
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

  return (req, res, context, route) => {
    const startedMs = performance.now()
    res.once('close', () => {
      const status = res.headersSent ? res.statusCode : 0
      const ms = performance.now() - startedMs
      requests.inc({ route, status })
      duration.observe({ route }, ms / 1000)
      if (!log.isLevelEnabled('info')) return
      log.info(
        {
          request_id: context.requestId,
          method: req.method,
          path: pathOf(req),
          route,
          status,
          complete: res.writableFinished,
          duration_ms: Math.round(ms * 10) / 10,
          ...context.fields,
        },
        'request',
      )
    })
  }
}
