import type { EventRefusedError } from './errors.ts'
import type { Spool } from './send/spool.ts'
import type { Logger, NewEvent, RawJson, StreamFilter } from './types.ts'

/** A token for a stream, as `streamTokens.create` gives it. */
export interface IssuedStreamToken {
  readonly token: string
  /** ISO 8601. Without it the token is renewed only when the server no longer takes it. */
  readonly expires_at?: string | undefined
}

/** How events are sent. */
export interface SendOptions {
  /** How long an event waits for others to share a request; default 5 ms. */
  readonly lingerMs?: number | undefined
  /** Events in a request, 1 to 1,000; default 1,000. */
  readonly batchEventsMax?: number | undefined
  /** Encoded bytes in a request; default 4.5 MiB, of the 5 MiB that the server takes. */
  readonly batchBytesMax?: number | undefined
  /** Requests under way at a time; default 4. */
  readonly requestsMax?: number | undefined
  /** Events held at a time; default 10,000. When they are reached, `send` waits and `trySend` returns false. */
  readonly queueEventsMax?: number | undefined
  /** Encoded bytes held at a time; default 16 MiB. */
  readonly queueBytesMax?: number | undefined
  /** Keeps events beyond the life of the process; see `openSpool` of `@ariftly/sdk/node`. */
  readonly spool?: Spool | undefined
  /**
   * Called for each event of `trySend`, and of an earlier process' spool, that is given up: there is no promise to reject. Default: a warning. What
   * it throws is a warning too.
   */
  readonly onFailed?: ((error: EventRefusedError | Error, event: NewEvent) => void) | undefined
}

/** Settings of a client. */
export interface ClientOptions {
  /**
   * An API key, or a function that gives one for each request, and another one after a 401; default: the environment variable `ARIFTLY_API_KEY`.
   * Leave it out in browsers and set `streamToken`.
   */
  readonly apiKey?: string | (() => string | Promise<string>) | undefined
  /** Gives a token for a stream with this filter, for browsers: asked before the first connection, at 80 % of a token's life, and once after a 401. */
  readonly streamToken?: ((filter: StreamFilter) => Promise<IssuedStreamToken>) | undefined
  /** Address of the API. Default: the environment variable `ARIFTLY_URL`. */
  readonly baseUrl?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: typeof fetch | undefined
  /** Time limit of each attempt, headers and body; default 20 s. */
  readonly attemptTimeoutMs?: number | undefined
  /** Time limit of a call with all its retries and waits; default 120 s. A `send` has its own `timeoutMs`; streams have none. */
  readonly totalTimeoutMs?: number | undefined
  /** Retries of a call; default 5, and 0 is 0. Sending and streams retry until they are ended. */
  readonly maxRetries?: number | undefined
  /** A longer `Retry-After` ends a call, and the error says how long it was; `send` waits for this time instead. Default 60 s. */
  readonly maxRetryAfterMs?: number | undefined
  readonly send?: SendOptions | undefined
  /** Headers of each request, such as a gateway asks for. They replace those of the same name, in any case. */
  readonly defaultHeaders?: Readonly<Record<string, string>> | undefined
  /** Default: `console.warn`, for all levels. */
  readonly logger?: Logger | undefined
  /**
   * What is written. Default: the environment variable `ARIFTLY_LOG`; without it `debug` for a `logger` that is given, and otherwise `warn`, of
   * sending alone.
   */
  readonly logLevel?: LogLevel | undefined
}

/** From least to most. `debug` has each request, and what streams wait for. */
export type LogLevel = 'off' | 'warn' | 'debug'

/** A request of `client.request`. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the base URL: `/v1/…`, with its values encoded. */
  readonly path: string
  /** Undefined members are left out, lists are joined by commas. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>> | undefined
  /** An object is sent as JSON; text and bytes are sent unchanged, as JSON too unless `headers` have a `content-type`. */
  readonly body?: object | RawJson | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}
