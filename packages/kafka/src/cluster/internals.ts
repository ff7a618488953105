import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Kafka } from 'kafkajs'

/**
 * The inner parts of kafkajs 2.2.4 that this package reaches into. kafkajs is pinned to that version and frozen upstream,
 * and the tests of this folder use each of them, so a change cannot pass unseen.
 */
const require = createRequire(import.meta.url)

/** One socket of a broker. */
export interface InternalConnection {
  readonly socket?: Pick<Socket, 'cork' | 'uncork' | 'write' | 'destroy'>
  readonly clientId: string
  /** The versions of each request that the broker speaks, by `apiKey`. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null
  readonly requestQueue: {
    /** Whether a timer of the queue checks all requests once connected. */
    enforceRequestTimeout: boolean
    push(request: {
      readonly entry: {
        readonly apiKey: number
        readonly apiName: string
        readonly apiVersion: number
        readonly correlationId: number
        resolve(answer: { readonly payload: Buffer }): void
        reject(error: Error): void
      }
      readonly expectResponse: boolean
      /** Called when the request may be written: immediately, unless the broker throttles. */
      sendRequest(): void
    }): void
  }
  /** False also without a login, where `authenticate` does nothing. */
  isAuthenticated(): boolean
  authenticate(): Promise<void>
  failIfNotConnected(): void
  nextCorrelationId(): number
}

/** One broker: `connect` dials, asks for its API versions and logs in. */
export interface InternalBroker {
  isConnected(): boolean
  connect(): Promise<void>
  readonly connectionPool: {
    readonly pool: readonly InternalConnection[]
    getConnection(index: number): Promise<InternalConnection>
  }
}

interface InternalCluster {
  readonly rootLogger: unknown
  readonly connectionPoolBuilder: {
    build(address: { readonly host: string; readonly port: number }): Promise<InternalBroker['connectionPool']>
  }
  readonly brokerPool: {
    createBroker(o: {
      readonly connectionPool: InternalBroker['connectionPool']
      readonly logger: unknown
    }): InternalBroker
  }
}

/** kafkajs's queue of the requests of one connection. */
export interface InternalRequestQueue {
  readonly pending: readonly unknown[]
  readonly inflight: ReadonlyMap<unknown, { readonly requestTimeout: number; timeoutRequest(): void }>
  readonly requestTimeout: number
  readonly enforceRequestTimeout: boolean
  readonly isConnected: () => boolean
  requestTimeoutIntervalId: NodeJS.Timeout | null
  /** Ends its timers. */
  destroy(): void
  scheduleRequestTimeoutCheck(): void
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/**
 * How kafkajs reads the answer to Metadata, in all its versions: they load this one at the first request, so it can be
 * replaced before.
 */
export const metadataResponse = require('kafkajs/src/protocol/requests/metadata/v0/response') as {
  parse: (data: { readonly topicMetadata: readonly object[] }) => Promise<unknown>
}

/** The class whose prototype `patchRequestQueue` corrects. */
export const RequestQueue = require('kafkajs/src/network/requestQueue') as { readonly prototype: InternalRequestQueue }

/**
 * Makes unconnected brokers of addresses, with the settings of a client (TLS, SASL). Their requests have no timeout: the
 * caller has one, and a timer for each connection would wake an idle process.
 */
export function createBrokerFactory(
  kafka: Kafka,
): (address: { readonly host: string; readonly port: number }) => Promise<InternalBroker> {
  const symbol = Object.getOwnPropertySymbols(kafka).find((s) => s.description === 'private:Kafka:createCluster')
  const create = symbol && (kafka as unknown as Record<symbol, ((o: object) => InternalCluster) | undefined>)[symbol]
  if (!create) throw new Error('This version of kafkajs is not supported: it creates its clusters elsewhere.')
  const { connectionPoolBuilder, brokerPool, rootLogger } = create.call(kafka, { allowAutoTopicCreation: false })
  return async ({ host, port }) => {
    const connectionPool = await connectionPoolBuilder.build({ host, port })
    for (const { requestQueue } of connectionPool.pool) requestQueue.enforceRequestTimeout = false
    return brokerPool.createBroker({ connectionPool, logger: rootLogger })
  }
}
