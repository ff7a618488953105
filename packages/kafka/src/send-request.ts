import type { InternalConnection } from './internals.ts'

/** A request, and how its answer is read. Source: Kafka protocol guide, "Protocol Messages". */
export interface BrokerRequest<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  /** Whether the header has tagged fields, none of which are sent (KIP-482). */
  readonly isFlexible?: boolean
  /** The body in parts, which are written one behind the other; they must stay as they are until the answer. */
  readonly body: readonly Buffer[]
  readonly decode: (data: Buffer) => T
  /** Sent in its place to a broker that does not know `apiVersion`. */
  readonly fallback?: () => BrokerRequest<T>
}

/** A request as small as this is copied into one buffer: that costs less than a write of several. */
const JOINED_BYTES_MAX = 4096

/**
 * Sends a request on a connection that is open, and resolves with its answer. The parts of a large body are handed to the socket
 * as they are: kafkajs's own way copies a request three times, which for a produce request of a megabyte costs as much as the
 * encoding of its records. Rejects when the connection ends, or is not answered within `timeoutMs`.
 */
export async function sendRequest<T>(
  connection: InternalConnection,
  request: BrokerRequest<T>,
  timeoutMs: number,
): Promise<T> {
  const { fallback } = request
  if (fallback && (connection.versions?.[request.apiKey]?.maxVersion ?? 0) < request.apiVersion) {
    return await sendRequest(connection, fallback(), timeoutMs)
  }
  const { apiKey, apiVersion, apiName, body, decode } = request
  // A login may have a lifetime (KIP-368).
  if (!connection.isAuthenticated()) await connection.authenticate()
  connection.failIfNotConnected()
  const correlationId = connection.nextCorrelationId()
  const head = encodeHead(request, correlationId, connection.clientId)
  const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: timeoutMs,
      sendRequest() {
        const { socket } = connection
        if (bytesOf(body) <= JOINED_BYTES_MAX) {
          socket?.write(Buffer.concat([head, ...body]))
          return
        }
        socket?.cork()
        socket?.write(head)
        for (const part of body) socket?.write(part)
        socket?.uncork()
      },
    })
  })
  return decode(payload)
}

/** Length and header (version 1, flexible 2) of a request. Source: Kafka protocol guide, "Request Header". */
function encodeHead(
  { apiKey, apiVersion, body, isFlexible = false }: BrokerRequest<unknown>,
  correlationId: number,
  clientId: string,
): Buffer {
  const clientBytes = Buffer.byteLength(clientId)
  const head = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientBytes + (isFlexible ? 1 : 0))
  let at = head.writeInt32BE(head.length - 4 + bytesOf(body), 0)
  at = head.writeInt16BE(apiKey, at)
  at = head.writeInt16BE(apiVersion, at)
  at = head.writeInt32BE(correlationId, at)
  at = head.writeInt16BE(clientBytes, at)
  head.write(clientId, at)
  return head
}

function bytesOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
