import type { Problem } from './api-types.ts'

/** One thing that is wrong with a request. */
export type ProblemError = NonNullable<Problem['errors']>[number]

/** Every error of this SDK. `code` is stable and in snake_case; `name` is the name of the class, also where a bundler shortens that. */
export class AriftlyError extends Error {
  override readonly name: string = 'AriftlyError'
  readonly code: string
  /** `X-Request-Id` of the answer, if there was one. Name it when you ask for help. */
  readonly requestId: string | undefined

  constructor(code: string, message: string, options?: ErrorOptions & { readonly requestId?: string | undefined }) {
    super(message, options)
    this.code = code
    this.requestId = options?.requestId
  }
}

/** There was no answer of the API: the address is unreachable or another server's, or the connection broke. `cause` is the error of `fetch`. */
export class ConnectionError extends AriftlyError {
  override readonly name: string = 'ConnectionError'
  /** Whether the address itself is at fault, as far as can be known: an unknown host, a certificate, a redirect. */
  readonly isOfAddress: boolean
  /** Whether the server may have the request: a connection was made, or it is not known. */
  readonly mayHaveArrived: boolean

  constructor(cause: unknown) {
    // Node's fetch says "fetch failed" and hides the reason one level down.
    const { message, code = '' } = ((cause as Reason | undefined)?.cause ?? cause ?? {}) as Reason
    super('connection_failed', `The API cannot be reached: ${message || code || String(cause)}`, { cause })
    this.isOfAddress = /ENOTFOUND|EAI_|EPROTO|^ERR_(TLS|SSL)|CERT|SIGNATURE|REDIRECT/.test(code)
    this.mayHaveArrived = !/ENOTFOUND|EAI_|ECONNREFUSED|UNREACH|CONNECT_TIMEOUT|CERT/.test(code)
  }
}

/** The time of an attempt (`attemptTimeoutMs`), of a whole call (`totalTimeoutMs`) or of a `send` (`timeoutMs`) is over. */
export class TimeoutError extends AriftlyError {
  override readonly name: string = 'TimeoutError'
  /** For a `send`: events that the server may have, and may still accept. An event whose id the server derives has none. */
  readonly ids: readonly string[]
  /** Whether the server may have something of the request, or of the events of a `send`. */
  readonly mayHaveArrived: boolean

  constructor(message: string, ids: readonly string[] = [], mayHaveArrived = true) {
    super('timeout', message)
    this.ids = ids
    this.mayHaveArrived = mayHaveArrived
  }
}

/** The client, or the stream, is closed. */
export class ClosedError extends AriftlyError {
  override readonly name: string = 'ClosedError'

  constructor(message: string) {
    super('closed', message)
  }
}

/** An answer that breaks the protocol: no event stream, a frame over 1 MiB, no JSON where JSON is promised. */
export class ProtocolError extends AriftlyError {
  override readonly name: string = 'ProtocolError'

  constructor(message: string, requestId?: string) {
    super('protocol_error', message, { requestId })
  }
}

/** What is known of an answer that is an error. */
export interface ApiErrorDetails {
  readonly status: number
  /** The problem (RFC 9457); undefined when the body is none, as from a proxy. */
  readonly problem: Problem | undefined
  /** The body as text. */
  readonly body: string
  /** `X-Request-Id` of the answer. */
  readonly requestId: string | undefined
  /** How long the server asked to wait. */
  readonly retryAfterMs: number | undefined
}

/** The API answered with an error status. Each subclass is one status. */
export class ApiError extends AriftlyError {
  override readonly name: string = 'ApiError'
  readonly status: number
  readonly problem: Problem | undefined
  readonly body: string
  readonly retryAfterMs: number | undefined
  /** What is wrong, each with a JSON pointer into the body or the name of a parameter. */
  readonly errors: readonly ProblemError[]

  constructor(details: ApiErrorDetails) {
    const { status, problem, body, requestId, retryAfterMs } = details
    const errors = problem?.errors ?? []
    const named = errors.map((error) => `${error.pointer ?? error.parameter ?? ''} ${error.message}`.trim())
    const said = [problem?.detail ?? problem?.title ?? body.slice(0, 200), ...named.slice(0, 3)].filter(Boolean)
    super(problem?.code ?? `http_${status}`, `${status}: ${said.join(' ')}`.trim(), { requestId })
    this.status = status
    this.problem = problem
    this.body = body
    this.retryAfterMs = retryAfterMs
    this.errors = errors
  }
}

/** 400: what cannot be read, such as an unknown parameter. */
export class BadRequestError extends ApiError {
  override readonly name = 'BadRequestError'
}
/** 401: the key or token is missing, unknown, expired or revoked. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError'
}
/** 403: the key does not have the scope, or its tenant is suspended (`tenant_suspended`). */
export class PermissionDeniedError extends ApiError {
  override readonly name = 'PermissionDeniedError'
}
/** 404: there is no such thing for this tenant. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError'
}
/** 409: the state does not allow it. */
export class ConflictError extends ApiError {
  override readonly name = 'ConflictError'
}
/** 422: a member of the body is wrong; `errors` point to it. */
export class UnprocessableError extends ApiError {
  override readonly name = 'UnprocessableError'
}
/** 429: a quota is used up; `retryAfterMs` says for how long. */
export class RateLimitError extends ApiError {
  override readonly name = 'RateLimitError'
}
/** 5xx: the server failed, after all retries. */
export class ServerError extends ApiError {
  override readonly name = 'ServerError'
}

const CLASSES: Readonly<Record<number, typeof ApiError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableError,
  429: RateLimitError,
}

/** The error of a status. */
export function apiError(details: ApiErrorDetails): ApiError {
  const Class = CLASSES[details.status] ?? (details.status >= 500 ? ServerError : ApiError)
  return new Class(details)
}

/** Why one event was refused. */
export interface Refusal {
  /** Place in the array that was sent; 0 of a single event. */
  readonly index: number
  readonly id: string | undefined
  readonly code: string
  /** JSON pointer (RFC 6901) into the event. */
  readonly pointer: string
  readonly message: string
}

/** Events were refused: they will never be accepted unchanged. Events of the same call that are not named were accepted. */
export class EventRefusedError extends AriftlyError {
  override readonly name: string = 'EventRefusedError'
  readonly refusals: readonly Refusal[]
  /** JSON pointer of the first refusal. */
  readonly pointer: string

  constructor(refusals: readonly Refusal[], requestId?: string) {
    const [first] = refusals
    const message = `The event was refused: ${first?.pointer ?? ''} ${first?.message ?? ''}`.trim()
    super(first?.code ?? 'refused', message, { requestId })
    this.refusals = refusals
    this.pointer = first?.pointer ?? ''
  }
}

/** Why there was no answer, from `fetch` or this SDK; the codes are Node's. */
export interface Reason {
  readonly message?: string
  readonly code?: string
  readonly cause?: unknown
}
