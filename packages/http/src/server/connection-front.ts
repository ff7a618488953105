import type { Server } from 'node:http'

/** After what an idle connection is closed, milliseconds. */
export interface ConnectionTimeouts {
  /** For a new connection, until its first request has begun. */
  readonly headersTimeoutMs: number
  /** After a response. */
  readonly keepAliveTimeoutMs: number
}

/** The connections of a server that `node:http` has not taken. */
export interface FrontConnections {
  /** Responses say `Connection: close` from now on. */
  drain(): void
  /** Ends idle connections, and others after their response. */
  close(): void
  /** Cuts all. */
  destroy(): void
  /** Requests whose response is not written. */
  readonly unanswered: number
}

/**
 * Reads the connections of a server before `node:http` does. It replaces the server's listeners for `connection`, and passes each connection that it does not
 * serve itself to them.
 */
export type ConnectionFront = (server: Server, timeouts: ConnectionTimeouts) => FrontConnections
