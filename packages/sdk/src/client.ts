import { Events } from './events.ts'
import { AriftlyError } from './errors.ts'
import { ServerClock } from './http/server-clock.ts'
import { Transport } from './http/transport.ts'
import { createLog } from './log.ts'
import type { ClientOptions } from './options.ts'
import { nodeVersion, readEnv } from './platform.ts'
import { ApiKeys, Audit, DeadLetters, SystemStatus, Tenants } from './resources/administration.ts'
import { EventTypes, StreamTokens } from './resources/catalogue.ts'
import { Deliveries, Redeliveries } from './resources/deliveries.ts'
import { Webhooks } from './resources/webhooks.ts'
import { Sender } from './send/sender.ts'
import type { NewEvent } from './types.ts'
import { VERSION } from './version.ts'

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
  readonly #sender: Sender
  readonly #closed = new AbortController()

  constructor(options: ClientOptions = {}) {
    const clock = new ServerClock()
    const { streamToken, logger, send = {} } = options
    const log = createLog(logger)
    const apiKey = options.apiKey ?? (streamToken === undefined ? readEnv('ARIFTLY_API_KEY') : undefined)
    if (!apiKey && streamToken === undefined) {
      throw new AriftlyError('missing_api_key', 'Set apiKey, ARIFTLY_API_KEY, or, in a browser, streamToken.')
    }
    const transport = new Transport({
      baseUrl: readBaseUrl(options.baseUrl),
      headers: async () => await requestHeaders(apiKey),
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      attemptTimeoutMs: options.attemptTimeoutMs ?? 20_000,
      totalTimeoutMs: options.totalTimeoutMs ?? 120_000,
      maxRetries: options.maxRetries ?? 5,
      maxRetryAfterMs: options.maxRetryAfterMs ?? 60_000,
      log,
      clock,
    })
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

function readBaseUrl(given: string | undefined): string {
  const baseUrl = (given ?? readEnv('ARIFTLY_URL') ?? 'https://api.ariftly.io').replace(/\/+$/, '')
  // A page may give a path of its own origin.
  if (nodeVersion !== undefined && !/^https?:\/\/[^/]/i.test(baseUrl)) {
    throw new AriftlyError('invalid_base_url', `The base URL is no http(s) URL: ${baseUrl}`)
  }
  return baseUrl
}

async function requestHeaders(apiKey: ClientOptions['apiKey']): Promise<Readonly<Record<string, string>>> {
  const key = typeof apiKey === 'function' ? await apiKey() : apiKey
  return {
    ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    // Browsers send their own, and would ask the server first for leave to send another one.
    ...(nodeVersion === undefined ? {} : { 'User-Agent': `ariftly-sdk/${VERSION} node/${nodeVersion}` }),
  }
}
