import { randomFillSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LineMember, Span } from '@ariftly/runtime'
import { normalTraceparent } from '@ariftly/trace-context'

/** What a request is called in logs, answers and traces. */
export interface RequestContext {
  /** The caller's `X-Request-Id` if it is sane (1 to 128 visible ASCII characters without quotes), otherwise a new one. */
  readonly requestId: string
  /** W3C trace context: its span's if it has one, otherwise the request's if valid, otherwise a new one. */
  traceparent: string
  /** Undefined unless it is recorded. */
  span?: Span
  /** Its key, if it was refused as that has had its share. */
  refusedKey: string | undefined
  /** The tenant of its key, once that is known; undefined without a key. */
  tenant: string | undefined
  /** More members of the request's line in the log; anyone who handles the request may add. */
  readonly fields: Record<string, LineMember>
}

/** The context of a request, made at the first call, which also sets `X-Request-Id` on the answer. */
export function requestContext(req: IncomingMessage, res: ServerResponse): RequestContext {
  const known = (req as WithContext)[CONTEXT]
  if (known !== undefined) return known
  const context = createRequestContext(req.headers['x-request-id'], req.headers['traceparent'])
  ;(req as WithContext)[CONTEXT] = context
  if (!res.headersSent) res.setHeader('X-Request-Id', context.requestId)
  return context
}

/** The context of a request with these headers. */
export function createRequestContext(
  requestId: string | string[] | undefined,
  traceparent: string | string[] | undefined,
): RequestContext {
  return {
    requestId: saneRequestId(requestId) ?? `req_${randomHex(16)}`,
    traceparent: normalTraceparent(traceparent) ?? newTraceparent(),
    refusedKey: undefined,
    tenant: undefined,
    fields: {},
  }
}

const CONTEXT = Symbol('request context')

interface WithContext {
  [CONTEXT]?: RequestContext
}

function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9!#$%&*+\-./:;=?@^_|~]{1,128}$/.test(header) ? header : undefined
}

/** A new trace, not sampled (flag 00): it is measured, but no one asked for it to be recorded. */
function newTraceparent(): string {
  const text = randomHex(24)
  return /^0{32}|0{16}$/.test(text) ? newTraceparent() : `00-${text.slice(0, 32)}-${text.slice(32)}-00`
}

/** Random bytes as hex, drawn from a pool that is filled 4 KiB at a time, as one draw costs a system call. */
function randomHex(bytes: number): string {
  if (poolAt + bytes > pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  poolAt += bytes
  return pool.toString('hex', poolAt - bytes, poolAt)
}

const pool = Buffer.alloc(4096)
let poolAt = pool.length
