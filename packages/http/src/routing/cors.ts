import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RouteMatch } from './match-route.ts'

/** Lets a page of an allowed origin read the answer (Fetch Standard, CORS protocol). No credentials: keys are headers, not cookies. */
export function allowOrigin(req: IncomingMessage, res: ServerResponse, origins: readonly string[]): void {
  const { origin } = req.headers
  const any = origins.includes('*')
  if (!any) res.setHeader('Vary', 'Origin')
  if (origin === undefined || !(any || origins.includes(origin))) return
  res.setHeader('Access-Control-Allow-Origin', any ? '*' : origin)
  res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
}

/** Answers a preflight for a path that exists; whether it was one. */
export function answerPreflight(req: IncomingMessage, res: ServerResponse, found: RouteMatch): boolean {
  const preflight = req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined
  if (!preflight || found === undefined || !('allow' in found)) return false
  if (res.hasHeader('Access-Control-Allow-Origin')) {
    res.setHeader('Access-Control-Allow-Methods', found.allow.join(', '))
    res.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS)
    res.setHeader('Access-Control-Max-Age', '600')
  }
  res.statusCode = 204
  res.end()
  return true
}

const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id, traceparent'
const EXPOSED_HEADERS =
  'Date, ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id'
