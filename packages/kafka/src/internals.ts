import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'

/**
 * The inner parts of kafkajs 2.2.4 that this package reaches into. kafkajs is pinned to that version and frozen upstream,
 * and the tests of this folder use each of them, so a change cannot pass unseen.
 */
const require = createRequire(import.meta.url)

/** A request as kafkajs's connection sends it, and how its answer is read. */
export interface ProtocolRequest<T> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly expectResponse?: () => boolean
    /** A ready body, in the shape of kafkajs's encoder. */
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: { decode(data: Buffer): Promise<T>; parse(decoded: T): Promise<unknown> }
  readonly requestTimeout?: number
  readonly logResponseError?: boolean
}

interface InternalConnection {
  readonly socket?: { destroy(error?: Error): void }
}

export interface InternalBroker {
  readonly nodeId: string
  isConnected(): boolean
  readonly connectionPool: {
    readonly host: string
    readonly port: number
    readonly pool: readonly InternalConnection[]
    send<T>(request: ProtocolRequest<T>): Promise<T>
  }
  metadata(topics: readonly string[]): Promise<{
    readonly clusterId: string
    readonly topicMetadata: readonly {
      readonly topic: string
      readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
    }[]
  }>
}

export interface InternalCluster {
  isConnected(): boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  removeBroker(address: { readonly host: string; readonly port: number }): void
  findBroker(o: { readonly nodeId: string }): Promise<InternalBroker>
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[]
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly fromBeginning: boolean
      readonly partitions: readonly { readonly partition: number }[]
    }[],
  ): Promise<
    {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  >
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, InternalBroker>>
    readonly seedBroker?: InternalBroker
    findConnectedBroker(): Promise<InternalBroker>
  }
}

export interface InternalRequestQueue {
  readonly pending: readonly unknown[]
  readonly inflight: ReadonlyMap<
    unknown,
    { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }
  >
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

/** The class whose prototype `patchRequestQueue` mends. */
export const RequestQueue = require('kafkajs/src/network/requestQueue') as { readonly prototype: InternalRequestQueue }

const protocolErrors = require('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error & { readonly type: string }
}

/** The error that kafkajs's own code makes of an error code, so that its retries know it. */
export function createErrorFromCode(code: number): Error & { readonly type: string } {
  return protocolErrors.createErrorFromCode(code)
}

/** A cluster of its own: metadata, connections, requests; what producer, consumer and admin of kafkajs stand on. */
export function createCluster(kafka: Kafka, o: { readonly metadataMaxAge: number }): InternalCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((s) => s.description === 'private:Kafka:createCluster')
  const create = symbol && (kafka as unknown as Record<symbol, ((o: object) => InternalCluster) | undefined>)[symbol]
  if (!create) throw new Error('This version of kafkajs is not known: it makes its clusters elsewhere.')
  return create({ ...o, allowAutoTopicCreation: false })
}
