import { Kafka, logLevel, type Admin, type SASLOptions } from 'kafkajs'
import type { Logger } from '@ariftly/fault'
import type { Backend, ClientTls, KafkaLogin } from '@ariftly/runtime'
import { patchMetadata } from './patch-metadata.ts'
import { patchRequestQueue } from './patch-request-queue.ts'
import { createSocketFactory } from './socket-factory.ts'
import { TopicCluster, type TopicClusterOptions } from './topic-cluster.ts'

/** How to reach Kafka. */
export interface KafkaConnection {
  /** `host:port` of some brokers, which name the others. */
  readonly brokers: readonly string[]
  /** TLS with every broker; none if not given. */
  readonly tls?: ClientTls
  /** How each connection logs in; not at all if not given. */
  readonly sasl?: KafkaLogin
  /** Name of this process in the brokers' logs and quotas. */
  readonly clientId: string
  readonly log: Logger
  /**
   * Gets each answer of a broker, but for those to members of a group, and is watched until the client is closed: by the metadata of
   * the topic.
   */
  readonly watch?: { readonly backend: Backend; readonly topic: string }
  /** Timeout of a request. Default 10,000 ms. */
  readonly requestTimeoutMs?: number
}

/** A configured client. Nothing connects until a producer, a reader or an admin call needs it. */
export interface KafkaClient {
  readonly clientId: string
  readonly log: Logger
  /** For the modules of this package. */
  readonly kafka: Kafka
  /** The connection to the brokers of a topic, shared by all who ask; for the modules of this package. */
  topicCluster(topic: string): TopicCluster
  /** Another one, which its owner closes, to a topic that must be of `identity`; for the modules of this package. */
  ownCluster(topic: string, identity: TopicClusterOptions['identity']): TopicCluster
  /** Runs `use` with a connected admin client; for the modules of this package. */
  withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T>
  /** Ends the shared connections. Producers and readers are closed by their owners. */
  close(): Promise<void>
}

/** Retries of one call of kafkajs: about 2 s in all. Callers retry what must not fail. */
const RETRY = { initialRetryTime: 100, factor: 0.2, multiplier: 2, maxRetryTime: 1_000, retries: 4 }

/** Makes a client. It connects in the background if it is watched, so unavailable brokers are no error here. */
export function createKafka(o: KafkaConnection): KafkaClient {
  patchRequestQueue()
  patchMetadata()
  const kafka = new Kafka({
    brokers: [...o.brokers],
    clientId: o.clientId,
    connectionTimeout: 3_000,
    requestTimeout: o.requestTimeoutMs ?? 10_000,
    retry: RETRY,
    socketFactory: createSocketFactory(o.tls),
    ...(o.sasl === undefined ? {} : { sasl: toSasl(o.sasl) }),
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => relayLog(o.log, entry),
  })
  const clusters = new Map<string, TopicCluster>()
  const { watch } = o
  const endWatch = watch?.backend.watch(() => topicCluster(watch.topic).refreshed())

  function topicCluster(topic: string): TopicCluster {
    const known = clusters.get(topic) ?? ownCluster(topic)
    clusters.set(topic, known)
    return known
  }

  function ownCluster(topic: string, identity?: TopicClusterOptions['identity']): TopicCluster {
    return new TopicCluster({ kafka, seeds: o.brokers, topic, identity, onAnswer: o.watch?.backend.answered })
  }

  async function close(): Promise<void> {
    endWatch?.()
    await Promise.all(Array.from(clusters.values(), (cluster) => cluster.close()))
  }

  async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafka.admin()
    try {
      await admin.connect()
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  return {
    clientId: o.clientId,
    log: o.log,
    kafka,
    topicCluster,
    ownCluster,
    withAdmin,
    close,
  }
}

function toSasl(login: KafkaLogin): SASLOptions {
  if (login.mechanism === 'oauthbearer') {
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await login.token() }) }
  }
  return { mechanism: login.mechanism, username: login.user, password: login.password }
}

interface LogEntry {
  readonly namespace: string
  readonly log: { readonly message: string; readonly [name: string]: unknown }
}

/**
 * kafkajs logs each failed attempt, several a second while a broker is unavailable. This package logs what matters itself,
 * so all of kafkajs's lines are debug lines.
 */
function relayLog(log: Logger, { namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _timestamp, stack: _stack, logger: _logger, ...fields } = entry
  log.debug({ ...fields, component: namespace }, message)
}
