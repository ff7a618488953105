import type { InternalConnection } from './internals.ts'

/** A request, and how its answer is read. Source: Kafka protocol guide, "Protocol Messages". */
export interface BrokerRequest<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  /** The body in parts, which are written one behind the other; they must stay as they are until the answer. */
  readonly body: readonly Buffer[]
  readonly decode: (data: Buffer) => T
}

/**
 * Sends a request on a connection that is open, and resolves with its answer. The parts of the body are handed to the socket
 * as they are: kafkajs's own way copies a request three times, which for a produce request of a megabyte costs as much as the
 * encoding of its records. Rejects when the connection ends, or is not answered within `timeoutMs`.
 */
export async function sendRequest<T>(
  connection: InternalConnection,
  { apiKey, apiVersion, apiName, body, decode }: BrokerRequest<T>,
  timeoutMs: number,
): Promise<T> {
  // A login may have a lifetime (KIP-368).
  if (!connection.isAuthenticated()) await connection.authenticate()
  connection.failIfNotConnected()
  const correlationId = connection.nextCorrelationId()
  const head = encodeHead({ apiKey, apiVersion, correlationId, clientId: connection.clientId, body })
  const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: timeoutMs,
      sendRequest() {
        const { socket } = connection
        socket?.cork()
        socket?.write(head)
        for (const part of body) socket?.write(part)
        socket?.uncork()
      },
    })
  })
  return decode(payload)
}

/** Length and header (version 1) of a request. Source: Kafka protocol guide, "Request Header". */
function encodeHead(o: {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string
  readonly body: readonly Buffer[]
}): Buffer {
  const clientBytes = Buffer.byteLength(o.clientId)
  const head = Buffer.allocUnsafe(4 + 2 + 2 + 4 + 2 + clientBytes)
  let length = head.length - 4
  for (const part of o.body) length += part.length
  let at = head.writeInt32BE(length, 0)
  at = head.writeInt16BE(o.apiKey, at)
  at = head.writeInt16BE(o.apiVersion, at)
  at = head.writeInt32BE(o.correlationId, at)
  at = head.writeInt16BE(clientBytes, at)
  head.write(o.clientId, at)
  return head
}
