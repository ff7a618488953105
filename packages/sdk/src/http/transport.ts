import type { Problem } from '../api-types.ts'
import {
  apiError,
  AriftlyError,
  ConnectionError,
  ProtocolError,
  TimeoutError,
  type ApiError,
  type Reason,
} from '../errors.ts'
import type { Log } from '../log.ts'
import { nodeVersion } from '../platform.ts'
import { VERSION } from '../version.ts'
import { readKey, type GivenKey } from './api-key.ts'
import { BACK_OFF, backOffMs, isRetryableStatus, pause, retryAfterMs } from './back-off.ts'
import { readText } from './body.ts'
import type { ServerClock } from './server-clock.ts'
import { withDeadline } from './with-deadline.ts'

/** Values of a query: undefined ones are left out, lists are joined by commas. */
type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

/** One call of the API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the base URL, `/v1/…`. */
  readonly path: string
  readonly query?: object | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** JSON text, unless `headers` say otherwise. */
  readonly body?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  /** Called when the request is given to `fetch`: from then on the server may have it. */
  readonly onSent?: (() => void) | undefined
}

/** What may be set for one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the client's. */
  readonly maxRetries?: number | undefined
  readonly attemptTimeoutMs?: number | undefined
  readonly totalTimeoutMs?: number | undefined
}

/** An answer whose body was read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** How requests are made; see `ClientOptions` for units and defaults. */
export interface TransportSettings {
  readonly baseUrl: string
  /** Checked, if it is a text. */
  readonly apiKey: GivenKey
  readonly defaultHeaders: Readonly<Record<string, string>>
  readonly fetch: typeof fetch
  readonly attemptTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxRetries: number
  readonly maxRetryAfterMs: number
  readonly log: Log
  readonly clock: ServerClock
}

/** Makes requests. It holds no state but its settings. */
export class Transport {
  readonly settings: TransportSettings

  constructor(settings: TransportSettings) {
    this.settings = settings
  }

  /**
   * One attempt. Throws ConnectionError, TimeoutError, the signal's reason, or an AriftlyError for a key or a header that can never be sent; every
   * status is an answer.
   */
  async attempt(call: Call, timeoutMs: number = this.settings.attemptTimeoutMs): Promise<Answer> {
    return await withDeadline(call.signal, timeoutMs, async (signal) => {
      const response = await this.open(call, signal)
      return { status: response.status, headers: response.headers, text: await readText(response, signal) }
    }).catch((error: unknown) => {
      throw asFailure(error, call.signal)
    })
  }

  /**
   * Begins an attempt; the body is not read yet. A function that gives keys is asked again after a 401, once: what it gave may have been replaced
   * meanwhile. Throws what `fetch` throws, and an AriftlyError for a key or a header that can never be sent.
   */
  async open(call: Call, signal: AbortSignal): Promise<Response> {
    const { apiKey } = this.settings
    const key = await readKey(apiKey)
    const response = await this.#fetch(call, key, signal)
    if (response.status !== 401 || typeof apiKey !== 'function') return response
    await pause(this.backOffMs(1, 0), signal)
    const fresh = await readKey(apiKey)
    if (fresh === key) return response
    void response.body?.cancel().catch(() => undefined)
    return await this.#fetch(call, fresh, signal)
  }

  async #fetch(call: Call, key: string | undefined, signal: AbortSignal): Promise<Response> {
    const { baseUrl, clock, fetch, defaultHeaders, log } = this.settings
    const { method, path, query, body } = call
    const headers = headersOf(call, key, defaultHeaders)
    const sentMs = Date.now()
    call.onSent?.()
    const response = await fetch(baseUrl + path + queryOf(query), {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: body as string }),
    })
    const nowMs = Date.now()
    const { status, headers: given } = response
    // The path alone: a query may hold the token of a stream.
    log.debug(`${method} ${path}: ${status} in ${nowMs - sentMs} ms, ${given.get('x-request-id') ?? 'no request id'}`)
    // A browser shows neither the status nor the target.
    if (response.type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304)) {
      void response.body?.cancel()
      throw new ConnectionError(redirectTo(given.get('location') ?? 'another address'))
    }
    clock.learn(given.get('date'), sentMs, nowMs)
    return response
  }

  /** How long to wait after `failures` failures when the server asked for `askedMs`, of which `maxRetryAfterMs` are granted. */
  backOffMs(failures: number, askedMs: number): number {
    return backOffMs(failures, askedMs, { ...BACK_OFF, floorMsMax: this.settings.maxRetryAfterMs })
  }

  /**
   * A call with retries: on 408, 425, 429, 5xx, a lost connection, a timeout, and 409 `idempotency_key_in_use`. `Retry-After` is waited
   * for; one above `maxRetryAfterMs` ends the call. Throws an ApiError, ConnectionError, TimeoutError or the signal's reason.
   */
  async request(call: Call, options: CallOptions = {}): Promise<unknown> {
    const answer = await this.answer(call, options)
    return answer.text === '' ? undefined : parseJson(answer)
  }

  /** The same, with the answer as it is; its status is below 300, or 304. */
  async answer(call: Call, options: CallOptions = {}): Promise<Answer> {
    const { maxRetries = this.settings.maxRetries, attemptTimeoutMs = this.settings.attemptTimeoutMs } = options
    const totalMs = options.totalTimeoutMs ?? this.settings.totalTimeoutMs
    return await withDeadline(options.signal, totalMs, async (signal) => {
      for (let failures = 1; ; failures += 1) {
        const outcome = await this.#outcome({ ...call, signal }, attemptTimeoutMs)
        if (!('error' in outcome)) return outcome
        if (failures > maxRetries || outcome.waitMs === undefined) throw outcome.error
        const waitMs = this.backOffMs(failures, outcome.waitMs)
        this.settings.log.debug(`${call.method} ${call.path} again in ${waitMs} ms: ${outcome.error.message}`)
        await pause(waitMs, signal)
      }
    })
  }

  /** `waitMs` is what the server asked for, 0 when it asked for nothing, undefined when a retry is of no use. */
  async #outcome(
    call: Call,
    timeoutMs: number,
  ): Promise<Answer | { readonly error: Error; readonly waitMs: number | undefined }> {
    try {
      const answer = await this.attempt(call, timeoutMs)
      if (answer.status < 300 || answer.status === 304) return answer
      const error = errorOf(answer)
      return { error, waitMs: this.#waitMs(error) }
    } catch (error) {
      const retryable = error instanceof ConnectionError || error instanceof TimeoutError
      if (!retryable || call.signal?.aborted === true) throw error
      return { error, waitMs: 0 }
    }
  }

  #waitMs({ status, code, retryAfterMs: askedMs = 0 }: ApiError): number | undefined {
    const mayRetry = isRetryableStatus(status) || (status === 409 && code === 'idempotency_key_in_use')
    return mayRetry && askedMs <= this.settings.maxRetryAfterMs ? askedMs : undefined
  }
}

/** What an answer asks to wait, milliseconds; 0 when it asks for nothing, or there is none. */
export function retryAfterOf(answer: Answer | undefined): number {
  return retryAfterMs(answer?.headers.get('retry-after') ?? null, Date.now()) ?? 0
}

/** `X-Request-Id` of an answer. */
export function requestIdOf({ headers }: Answer): string | undefined {
  return headers.get('x-request-id') ?? undefined
}

/** The error of an answer with an error status. */
export function errorOf(answer: Answer): ApiError {
  const { status, headers, text } = answer
  const isProblem = headers.get('content-type')?.includes('json') === true
  return apiError({
    status,
    problem: isProblem ? readProblem(text) : undefined,
    body: text,
    requestId: requestIdOf(answer),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  })
}

function readProblem(text: string): Problem | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof (body as Partial<Problem> | null)?.code === 'string' ? (body as Problem) : undefined
  } catch {
    return undefined
  }
}

function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text)
  } catch {
    throw new ProtocolError("The answer is not JSON. Is the base URL the API's?", requestIdOf(answer))
  }
}

/** Throws an AriftlyError for what no header can be: `fetch` would fail each time, with the value in its message. */
function headersOf(
  { body, headers }: Call,
  key: string | undefined,
  defaults: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    // Browsers send their own, and would ask the server first for leave to send another one.
    ...(nodeVersion === undefined ? {} : { 'user-agent': `ariftly-sdk/${VERSION} node/${nodeVersion}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...defaults,
    ...checkHeaders(headers),
  }
}

/** Headers with names in lower case, so that each is there once. Throws an AriftlyError that has no value in it. */
export function checkHeaders(headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(headers)
  for (const [name, value] of entries) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t -~]/.test(value)) {
      throw new AriftlyError('invalid_header', `${name} has a character that no header has.`)
    }
  }
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]))
}

/** Redirects are not followed: they would send the key, and a POST may become a GET. The query is left out: a stream has its token in it. */
function redirectTo(target: string): Reason {
  return { message: `it redirects to ${target.split('?')[0]}. Set baseUrl to where the API is.`, code: 'REDIRECT' }
}

function queryOf(query: object = {}): string {
  const members = Object.entries(query as Query)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return members.length === 0 ? '' : `?${members.join('&')}`
}

/** The error of `fetch` as one of ours; an abort by the caller is not changed. */
export function asFailure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof AriftlyError || signal?.aborted === true) return error
  return new ConnectionError(error)
}
