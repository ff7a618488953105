import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { Fault, type Logger } from '@ariftly/runtime'
import { PROBLEMS } from './problem-catalogue.ts'
import { requestContext } from './request-context.ts'

/** One thing that is wrong: `pointer` (RFC 6901) into the body, or `parameter` of the query; `index` in a batch. */
export interface ProblemError {
  readonly pointer?: string
  readonly parameter?: string
  readonly index?: number
  /** Stable, snake_case. */
  readonly code: string
  readonly message: string
}

/** The members of a problem other than its status and code. */
export interface ProblemDetails {
  readonly detail?: string
  readonly errors?: readonly ProblemError[]
  readonly headers?: Readonly<Record<string, string>>
  /** More members of the body. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** The key of a refusal over quota: such refusals are frequent, so they get one log line a second and key. */
  readonly refusedKey?: string
}

/** An answer that is an error: thrown or sent, shown as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  readonly status: number
  /** Stable, snake_case; clients distinguish problems by it. */
  readonly code: string
  readonly details: ProblemDetails

  constructor(status: number, code: string, details: ProblemDetails = {}) {
    // A problem is an answer, not a fault: its stack is never used, and would cost more than the rest of a refusal.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(details.detail ?? code)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.details = details
  }
}

/**
 * Answers with a problem, with `node:http` and with express. If the answer has already started, the connection is cut
 * instead, so that a client never takes a partial answer for a complete one.
 */
export function sendProblem(req: IncomingMessage, res: ServerResponse, problem: Problem): void {
  const { requestId } = requestContext(req, res)
  if (res.headersSent || res.writableEnded) {
    res.destroy()
    return
  }
  const body = JSON.stringify(problemBody(problem, pathOf(req), requestId))
  for (const [name, value] of Object.entries(problem.details.headers ?? {})) res.setHeader(name, value)
  res.setHeader('Content-Type', 'application/problem+json')
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.setHeader('Cache-Control', 'no-store')
  res.statusCode = problem.status
  res.end(body)
}

/** The members of a problem in the body of the answer. The title is that of its code (RFC 9457, 3.1.3). */
export function problemBody(problem: Problem, instance: string, requestId: string): Record<string, unknown> {
  const { detail, errors, extra } = problem.details
  return {
    type: `/problems/${problem.code}`,
    title: PROBLEMS[problem.code]?.title ?? STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    ...(detail === undefined ? {} : { detail }),
    instance,
    code: problem.code,
    request_id: requestId,
    ...(errors === undefined ? {} : { errors }),
    ...extra,
  }
}

/**
 * Answers a thrown error: a {@link Problem} with itself, a retryable {@link Fault} with 503, any other with 500 without its
 * message. All but Problems are logged here, once.
 */
export function sendError(req: IncomingMessage, res: ServerResponse, error: unknown, log: Pick<Logger, 'error'>): void {
  const { requestId } = requestContext(req, res)
  sendProblem(req, res, problemOfError(error, { requestId, method: req.method, path: pathOf(req), log }))
}

/** The problem that answers a thrown error. All but Problems are logged. */
export function problemOfError(
  error: unknown,
  request: {
    readonly requestId: string
    readonly method: string | undefined
    readonly path: string
    readonly log: Pick<Logger, 'error'>
  },
): Problem {
  if (error instanceof Problem) return error
  const { requestId, method, path, log } = request
  log.error({ err: error, request_id: requestId, method, path }, 'the request failed')
  const detail = (error instanceof Fault ? error.publicMessage : undefined) ?? 'Something went wrong on our side.'
  if (error instanceof Fault && error.retryable) {
    return new Problem(503, 'unavailable', { detail, headers: { 'Retry-After': '1' } })
  }
  return new Problem(500, 'internal_error', { detail })
}

/** The path of a request without its query, which may hold a token. */
export function pathOf(req: IncomingMessage): string {
  // Express rewrites `url` under a mounted router and keeps the original here.
  const url = 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/')
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
