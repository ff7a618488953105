import type { BrokerRequest } from '../wire/broker-request.ts'
import type { InternalConnection } from './internals.ts'
import { WireReader } from '../wire/reader.ts'
import { WireWriter } from '../wire/writer.ts'

/** A request as small as this is copied into one buffer: that costs less than a write of several. */
const JOINED_BYTES_MAX = 4096

/**
 * Sends a request on an open connection and resolves with its answer. The parts of a large body are given to the socket
 * without a copy: kafkajs copies a request three times, which for a produce request of a megabyte costs as much as encoding
 * its records. Rejects when the connection ends; it has no timeout.
 */
export async function sendRequest<T>(connection: InternalConnection, request: BrokerRequest<T>): Promise<T> {
  const { apiKey, apiName, version, flexibleVersion } = request
  const versionMax = connection.versions?.[apiKey]?.maxVersion ?? 0
  const isFlexible = flexibleVersion !== undefined && Math.max(version, versionMax) >= flexibleVersion
  const apiVersion = isFlexible ? flexibleVersion : version
  // A login may have a lifetime (KIP-368).
  if (!connection.isAuthenticated()) await connection.authenticate()
  connection.failIfNotConnected()
  const correlationId = connection.nextCorrelationId()
  const to = new WireWriter({ isFlexible })
  request.write(to)
  const body = to.end()
  const bodyBytes = body.reduce((sum, part) => sum + part.length, 0)
  const head = encodeHead({ apiKey, apiVersion, correlationId, bodyBytes, isFlexible, clientId: connection.clientId })
  const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      sendRequest() {
        const { socket } = connection
        if (bodyBytes <= JOINED_BYTES_MAX) {
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
  const from = new WireReader(payload, { isFlexible })
  from.tags() // of the header
  return request.read(from)
}

/** Length and header (version 1, flexible 2) of a request. Source: Kafka protocol guide, "Request Header". */
function encodeHead(o: {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string
  readonly isFlexible: boolean
  readonly bodyBytes: number
}): Buffer {
  const clientBytes = Buffer.byteLength(o.clientId)
  const head = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientBytes + (o.isFlexible ? 1 : 0))
  let at = head.writeInt32BE(head.length - 4 + o.bodyBytes, 0)
  at = head.writeInt16BE(o.apiKey, at)
  at = head.writeInt16BE(o.apiVersion, at)
  at = head.writeInt32BE(o.correlationId, at)
  at = head.writeInt16BE(clientBytes, at)
  head.write(o.clientId, at)
  return head // no tagged fields: zero
}
