import { Events } from './events.ts'
import { AriftlyError } from './errors.ts'
import { checkKey, type GivenKey } from './http/api-key.ts'
import { ServerClock } from './http/server-clock.ts'
import { checkHeaders, Transport, type Answer, type Call, type CallOptions } from './http/transport.ts'
import { createLog } from './log.ts'
import type { ApiRequest, ClientOptions } from './options.ts'
import { nodeVersion, readEnv } from './platform.ts'
import { ApiKeys, Audit, DeadLetters, SystemStatus, Tenants } from './resources/administration.ts'
import { EventTypes, StreamTokens, Tasks } from './resources/catalogue.ts'
import { Deliveries, Redeliveries } from './resources/deliveries.ts'
import { Webhooks } from './resources/webhooks.ts'
import { Sender } from './send/sender.ts'
import type { NewEvent } from './types.ts'

declare global {
  // As `lib.esnext.disposable` has it, for programs that are compiled without it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/** A client of the Events API. Make one a process and share it. `close` it, or declare it with `await using`, so that all events are sent. */
export class Ariftly {
  readonly events: Events
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  readonly redeliveries: Redeliveries
  readonly apiKeys: ApiKeys
  readonly tenants: Tenants
  readonly audit: Audit
  readonly deadLetters: DeadLetters
  readonly system: SystemStatus
  readonly eventTypes: EventTypes
  readonly streamTokens: StreamTokens
  readonly tasks: Tasks
  readonly #transport: Transport
  readonly #sender: Sender
  readonly #closed = new AbortController()

  constructor(options: ClientOptions = {}) {
    const clock = new ServerClock()
    const { streamToken, logger, send = {} } = options
    const log = createLog(logger, options.logLevel)
    const apiKey = givenKey(options)
    const transport = (this.#transport = new Transport({
      baseUrl: readBaseUrl(options.baseUrl),
      apiKey,
      defaultHeaders: checkHeaders(options.defaultHeaders),
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      attemptTimeoutMs: options.attemptTimeoutMs ?? 20_000,
      totalTimeoutMs: options.totalTimeoutMs ?? 120_000,
      maxRetries: options.maxRetries ?? 5,
      maxRetryAfterMs: options.maxRetryAfterMs ?? 60_000,
      log,
      clock,
    }))
    this.#sender = new Sender({ transport, clock, options: send, log })
    const ownToken = apiKey === undefined ? streamToken : undefined
    this.events = new Events({ transport, streamToken: ownToken, closed: this.#closed.signal }, this.#sender)
    this.webhooks = new Webhooks(transport)
    this.deliveries = new Deliveries(transport)
    this.redeliveries = new Redeliveries(transport)
    this.apiKeys = new ApiKeys(transport)
    this.tenants = new Tenants(transport)
    this.audit = new Audit(transport)
    this.deadLetters = new DeadLetters(transport)
    this.system = new SystemStatus(transport)
    this.eventTypes = new EventTypes(transport)
    this.streamTokens = new StreamTokens(transport)
    this.tasks = new Tasks(transport)
  }

  /**
   * Calls a route for which there is no method, with the key, the retries and the errors of all calls. Answers from 200 to 299, and 304, resolve;
   * others reject with an ApiError.
   */
  async request(request: ApiRequest, options?: CallOptions): Promise<Answer> {
    return await this.#transport.answer(callOf(request), options)
  }

  /**
   * Ends all streams, as their `close` does, takes no more events, waits at most `timeoutMs` (default 30 s) until the queued ones
   * are sent, and returns the ones that could not be sent: their promises reject with a ClosedError, and a spool keeps them. They
   * have ids, so sending them again makes no duplicates.
   */
  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number | undefined } = {}): Promise<{
    readonly unsent: readonly NewEvent[]
  }> {
    this.#closed.abort()
    return { unsent: await this.#sender.close(timeoutMs) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** A request must stay at the base URL: a path such as `@host` would make another host of it, which gets the key. */
function callOf({ method, path, query, body, headers }: ApiRequest): Call {
  if (!path.startsWith('/')) throw new AriftlyError('invalid_path', 'A path begins with a slash.')
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  return {
    method,
    path,
    query,
    body: isRaw ? body : JSON.stringify(body),
    // A retry of what the server has done already gets the first answer again.
    headers: { ...(method === 'POST' ? { 'idempotency-key': crypto.randomUUID() } : {}), ...checkHeaders(headers) },
  }
}

/** Undefined with `streamToken` alone. */
function givenKey({ apiKey, streamToken }: ClientOptions): GivenKey {
  const given = apiKey ?? (streamToken === undefined ? readEnv('ARIFTLY_API_KEY') : undefined)
  if (!given && streamToken === undefined) {
    throw new AriftlyError('missing_api_key', 'Set apiKey, ARIFTLY_API_KEY, or, in a browser, streamToken.')
  }
  return typeof given === 'string' ? checkKey(given) : given
}

function readBaseUrl(given: string | undefined): string {
  const text = given ?? readEnv('ARIFTLY_URL')
  if (!text) throw new AriftlyError('missing_base_url', 'Set baseUrl or ARIFTLY_URL.')
  const baseUrl = text.replace(/\/+$/, '')
  // A page may give a path of its own origin.
  if (nodeVersion === undefined) return baseUrl
  if (!/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i.test(baseUrl)) {
    throw new AriftlyError('invalid_base_url', `The base URL is not a plain http(s) URL: ${baseUrl.split('@').at(-1)}`)
  }
  return baseUrl
}
