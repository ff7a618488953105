import type { Kafka } from 'kafkajs'
import { createCluster, type InternalBroker, type InternalCluster } from './internals.ts'
import { withTimeout } from '@ariftly/async'

/**
 * A connection to the brokers of one topic that mends itself. kafkajs's cluster can get stuck for good: a broker that
 * accepts a connection and does not answer the first request (frozen, or behind a dead path) is taken for connected and
 * refuses every later request. So whatever fails here throws the whole cluster away, and the next caller gets a new one.
 */
export interface TopicCluster {
  /** A cluster that is connected and knows the topic. Concurrent callers share one attempt. */
  ready(): Promise<InternalCluster>
  /** As `ready`, with metadata asked of a broker just now. */
  refreshed(): Promise<InternalCluster>
  /** A connected broker. */
  broker(cluster: InternalCluster, nodeId: string): Promise<InternalBroker>
  /** Throws a cluster away that failed its user. */
  discard(cluster: InternalCluster): void
  /** True while a connection to a broker stands. */
  readonly connected: boolean
  close(): Promise<void>
}

const METADATA_MAX_AGE_MS = 30_000
/** An attempt that takes longer has failed. */
const ATTEMPT_MS = 5_000
const CLOSE_MS = 2_000

/**
 * Makes one; nothing connects before the first call. It is for one topic, as kafkajs refuses metadata for all topics that
 * it knows as soon as one of them is gone.
 */
export function createTopicCluster(kafka: Kafka, topic: string): TopicCluster {
  let current: InternalCluster | undefined
  let attempt: Promise<InternalCluster> | undefined

  function ready(): Promise<InternalCluster> {
    attempt ??= open().finally(() => {
      attempt = undefined
    })
    return attempt
  }

  function open(): Promise<InternalCluster> {
    current ??= createCluster(kafka, { metadataMaxAge: METADATA_MAX_AGE_MS })
    const cluster = current
    return attended(cluster, async () => {
      if (!cluster.isConnected()) await cluster.connect()
      await cluster.addMultipleTargetTopics([topic])
      await cluster.refreshMetadataIfNecessary()
      return cluster
    })
  }

  async function refreshed(): Promise<InternalCluster> {
    const cluster = await ready()
    return attended(cluster, async () => {
      await cluster.refreshMetadata()
      return cluster
    })
  }

  async function attended<T>(cluster: InternalCluster, work: () => Promise<T>): Promise<T> {
    try {
      return await withTimeout(work(), ATTEMPT_MS)
    } catch (error) {
      discard(cluster)
      throw error
    }
  }

  function discard(cluster: InternalCluster): void {
    if (cluster === current) current = undefined
    const { brokers, seedBroker } = cluster.brokerPool
    for (const broker of [seedBroker, ...Object.values(brokers)]) dropConnections(broker, new Error('discarded'))
    cluster.disconnect().catch(() => {})
  }

  return {
    ready,
    refreshed,
    broker: (cluster, nodeId) => attended(cluster, () => cluster.findBroker({ nodeId })),
    discard,
    get connected() {
      return current?.isConnected() ?? false
    },
    async close() {
      const last = current
      current = undefined
      if (last) await withTimeout(last.disconnect(), CLOSE_MS).catch(() => discard(last))
    },
  }
}

/** A connection that gave no answer is not used again: behind it may be a frozen broker or a dead path. */
export function dropConnection(cluster: InternalCluster, broker: InternalBroker, cause: unknown): void {
  const { host, port } = broker.connectionPool
  try {
    cluster.removeBroker({ host, port })
  } catch {
    // Another send removed the last broker a moment ago; then kafkajs has no seed to look at.
  }
  dropConnections(broker, cause instanceof Error ? cause : new Error(String(cause)))
}

/** Ends the sockets of a broker at once; requests that wait for an answer are rejected with `reason`. */
function dropConnections(broker: InternalBroker | undefined, reason: Error): void {
  for (const connection of broker?.connectionPool.pool ?? []) connection.socket?.destroy(reason)
}
