import type { EventRefusedError } from './errors.ts'
import type { Spool } from './send/spool.ts'
import type { Logger, NewEvent, StreamFilter } from './types.ts'

/** A token for a stream, as `streamTokens.create` gives it. */
export interface IssuedStreamToken {
  readonly token: string
  /** ISO 8601. Without it the token is renewed only when the server no longer takes it. */
  readonly expires_at?: string
}

/** How events are sent. */
export interface SendOptions {
  /** How long an event waits for others to share a request; default 5 ms. */
  readonly lingerMs?: number
  /** Events in a request, 1 to 1,000; default 1,000. */
  readonly batchEventsMax?: number
  /** Encoded bytes in a request; default 4.5 MiB, of the 5 MiB that the server takes. */
  readonly batchBytesMax?: number
  /** Requests under way at a time; default 4. */
  readonly requestsMax?: number
  /** Events held at a time; default 10,000. When they are reached, `send` waits and `trySend` says false. */
  readonly queueEventsMax?: number
  /** Encoded bytes held at a time; default 16 MiB. */
  readonly queueBytesMax?: number
  /** Keeps events beyond the life of the process; see `openSpool` of `@ariftly/sdk/node`. */
  readonly spool?: Spool
  /** Called for each event of `trySend`, and of a former process' spool, that is given up: there is no promise to reject. */
  readonly onFailed?: (error: EventRefusedError | Error, event: NewEvent) => void
}

/** Settings of a client. */
export interface ClientOptions {
  /** An API key, or what gives one for each request. Leave it out in browsers and set `streamToken`. */
  readonly apiKey?: string | (() => string | Promise<string>)
  /** Gives a token for a stream with this filter, for browsers: asked before the first connection, at 80 % of a token's life, and once after a 401. */
  readonly streamToken?: (filter: StreamFilter) => Promise<IssuedStreamToken>
  /** Default `https://api.ariftly.io`. */
  readonly baseUrl?: string
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
  /** Of each attempt, headers and body; default 20 s. */
  readonly attemptTimeoutMs?: number
  /** Of a call with all its retries and waits; default 120 s. Sending and streams go on for as long as they are wanted. */
  readonly totalTimeoutMs?: number
  /** Retries of a call; default 5, and 0 is 0. Sending and streams go on for as long as they are wanted. */
  readonly maxRetries?: number
  /** A longer `Retry-After` ends a call, and the error says how long it was; default 60 s. */
  readonly maxRetryAfterMs?: number
  readonly send?: SendOptions
  /** Default: none. */
  readonly logger?: Logger
}
