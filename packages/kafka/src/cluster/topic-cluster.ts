import { backoffMs, raceStaggered } from '@ariftly/async'
import type { Kafka } from 'kafkajs'
import { BrokerConnection } from './broker-connection.ts'
import { createBrokerFactory } from './internals.ts'
import { brokerFault, kafkaFault } from '../kafka-fault.ts'
import { logFault, type LogIdentity } from '../log-identity.ts'
import type { BrokerRequest } from '../wire/broker-request.ts'
import { metadataRequest, type BrokerAddress, type PartitionMetadata, type TopicMetadata } from '../wire/metadata.ts'

/** What a request is for, and how long it may take. */
export interface SendOptions {
  /** Name of the connection: requests on one connection wait for each other at the broker. */
  readonly channel: string
  /** How many connections the channel may have: the first without a request is taken, else the one with the fewest. Default 1. */
  readonly connections?: number
  readonly timeoutMs: number
  /** Partitions that the broker should lead: when it leads none of them any more, the request is aborted. */
  readonly partitions?: readonly number[]
  /** Without an answer for this long, it is checked whether the broker still leads, and again with back-off. Default 100 ms. */
  readonly expectedMs?: number
  /** Called when the request may have reached the broker. */
  readonly onSent?: () => void
}

/** Which brokers and which topic. */
export interface TopicClusterOptions {
  readonly kafka: Kafka
  /** `host:port` of some brokers. */
  readonly seeds: readonly string[]
  readonly topic: string
  /**
   * The log that may be read and written, the same object while it stays the same; undefined while any may. Checked at each
   * connect and with all metadata; when it changes, the connections that were made before are dropped.
   */
  readonly identity?: (() => LogIdentity | undefined) | undefined
  /** Called with each answer of a broker. */
  readonly onAnswer?: (() => void) | undefined
}

/** Answers of a broker that does not lead, or not in as high an epoch as was named. */
const DENIALS: ReadonlySet<string> = new Set(['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH'])
const METADATA_MAX_AGE_MS = 30_000
const METADATA_ANSWER_MS = 3_000
/** A broker that has not answered is not waited for any longer before the next one is asked too. */
const NEXT_BROKER_MS = 100
/** Pauses between polls of a silent broker, at most: 100, 200, 400, 500 ms. */
const LEADER_CHECK = { baseMs: 100, maxMs: 500 } as const

/**
 * Connections to the brokers of one topic, and the topic's metadata. A failure counts for the connection that it happened
 * on, and for nothing else: a partition without a leader is data (leader -1), and a broker that cannot be dialled costs the
 * connections to the others nothing. Nothing connects before the first call.
 */
export class TopicCluster {
  readonly #o: TopicClusterOptions
  readonly #createBroker: ReturnType<typeof createBrokerFactory>
  /** By `node/channel/index`, seeds by `seed/host:port`. */
  readonly #connections = new Map<string, BrokerConnection>()
  /** When a broker last answered anything, by node id. */
  readonly #answeredMs = new Map<number, number>()
  #metadata: TopicMetadata | undefined
  /** Partitions whose known leader has denied that it leads: the next metadata counts for them, also with a lower epoch. */
  readonly #denied = new Set<number>()
  #metadataAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<TopicMetadata> | undefined
  #closed = false

  constructor(o: TopicClusterOptions) {
    this.#o = o
    this.#createBroker = createBrokerFactory(o.kafka)
  }

  /**
   * The topic's metadata as last read; it is refreshed every 30 s, without waiting. The first call waits: it rejects
   * when no broker answers, and with fault `topic_missing`.
   */
  async metadata(): Promise<TopicMetadata> {
    if (this.#metadata === undefined) return await this.refreshed()
    if (performance.now() - this.#metadataAtMs > METADATA_MAX_AGE_MS) void this.refreshed().catch(() => {})
    return this.#metadata
  }

  /** The topic's metadata as a broker says it now. Concurrent callers share one request. */
  refreshed(): Promise<TopicMetadata> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** Node id of the leader as last known; -1 when there is none. */
  leaderOf(partition: number): number {
    return this.#partition(partition)?.leader ?? -1
  }

  /** Epoch of that leader; -1 when it is not known. */
  leaderEpochOf(partition: number): number {
    return this.#partition(partition)?.leaderEpoch ?? -1
  }

  /** To be called with the name of each error that a leader answers with: one that denies that it leads is not preferred to the next metadata. */
  noteError(partition: number, name: string): void {
    if (DENIALS.has(name)) this.#denied.add(partition)
  }

  get topic(): string {
    return this.#o.topic
  }

  /** Id of the topic as last heard; empty when it is not known. */
  get topicId(): string {
    return this.#metadata?.topicId ?? ''
  }

  /** How many partitions the topic has, as last heard; 0 when that is not known. */
  get partitionCount(): number {
    return this.#metadata?.partitions.length ?? 0
  }

  /** Sends a request to a broker of the metadata. A failure drops its connection and the idle ones of its channel. */
  async send<T>(nodeId: number, request: BrokerRequest<T>, o: SendOptions): Promise<T> {
    const address = this.#metadata?.brokers.get(nodeId)
    if (address === undefined) throw kafkaFault('kafka_unavailable', `Broker ${nodeId} is not in the cluster.`)
    const connection = this.#leastBusy(nodeId, address, o)
    const stopWatching = this.#watchLeader(nodeId, o, connection)
    try {
      const answer = await connection.send(request, o.timeoutMs, o.onSent)
      this.#answeredMs.set(nodeId, performance.now())
      this.#o.onAnswer?.()
      return answer
    } catch (error) {
      this.#dropIdle(nodeId, o, error)
      throw error
    } finally {
      stopWatching()
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#closed = true
    for (const connection of this.#connections.values()) connection.close('closed')
    this.#connections.clear()
  }

  #partition(partition: number): PartitionMetadata | undefined {
    return this.#metadata?.partitions.find((each) => each.partition === partition)
  }

  async #ask(): Promise<TopicMetadata> {
    const request = metadataRequest(this.#o.topic)
    const attempts = this.#candidates().map((connection) => () => connection.send(request, METADATA_ANSWER_MS))
    const answer = await raceStaggered(attempts, NEXT_BROKER_MS)
    this.#o.onAnswer?.()
    try {
      this.#checkTopic(answer)
    } catch (error) {
      // Forget the leaders: a topic created again has others.
      this.#metadata = undefined
      throw error
    }
    const metadata = withNewestLeaders(answer, this.#metadata, this.#denied)
    this.#denied.clear()
    this.#take(metadata)
    return metadata
  }

  #checkTopic(metadata: TopicMetadata): void {
    const { topic, identity } = this.#o
    if (metadata.errorCode === 3) throw kafkaFault('topic_missing', `Topic ${topic} does not exist.`)
    if (metadata.errorCode !== 0) throw brokerFault(metadata.errorCode)
    checkIdentity(topic, identity?.(), metadata)
  }

  /** Connections for metadata requests: the broker that answered last, then idle ones, then busy ones, then the seeds. */
  #candidates(): BrokerConnection[] {
    const known = Array.from(this.#metadata?.brokers ?? [], ([nodeId, address]) => {
      const connection = this.#leastBusy(nodeId, address, { channel: 'main' })
      const answeredMs = this.#answeredMs.get(nodeId) ?? 0
      return { connection, rank: connection.outstanding > 0 ? Number.POSITIVE_INFINITY : -answeredMs }
    })
    const seeds = this.#o.seeds.map((seed) => this.#connectionTo(`seed/${seed}`, parseAddress(seed)))
    return [...known.toSorted((a, b) => a.rank - b.rank).map(({ connection }) => connection), ...seeds]
  }

  #take(metadata: TopicMetadata): void {
    this.#metadata = metadata
    this.#metadataAtMs = performance.now()
    for (const [name, connection] of this.#connections) {
      const [node] = name.split('/')
      const address = metadata.brokers.get(Number(node))
      // A seed is not needed once it has named the brokers; one with a pending request stays until its answer.
      const isUsed =
        node === 'seed'
          ? connection.outstanding > 0
          : address?.host === connection.address.host && address.port === connection.address.port
      if (isUsed) continue
      this.#connections.delete(name)
      connection.close('not in the cluster any more')
    }
  }

  #leastBusy(
    nodeId: number,
    address: BrokerAddress,
    { channel, connections = 1 }: Pick<SendOptions, 'channel' | 'connections'>,
  ): BrokerConnection {
    let least = this.#connectionTo(`${nodeId}/${channel}/0`, address)
    for (let index = 1; index < connections && least.outstanding > 0; index += 1) {
      const each = this.#connectionTo(`${nodeId}/${channel}/${index}`, address)
      if (each.outstanding < least.outstanding) least = each
    }
    return least
  }

  /** They may lead down the same dead path: the next request is to dial and not to wait for its timeout. */
  #dropIdle(nodeId: number, { channel, connections = 1 }: SendOptions, cause: unknown): void {
    for (let index = 0; index < connections; index += 1) {
      const connection = this.#connections.get(`${nodeId}/${channel}/${index}`)
      if (connection?.outstanding === 0) connection.drop(cause)
    }
  }

  #connectionTo(name: string, address: BrokerAddress): BrokerConnection {
    if (this.#closed) throw kafkaFault('kafka_unavailable', 'The connection to Kafka is closed.')
    const identity = this.#o.identity?.()
    const known = this.#connections.get(name)
    if (known !== undefined && known.identity === identity) return known
    known?.close('another log is expected')
    const connection = new BrokerConnection({
      address,
      identity,
      createBroker: this.#createBroker,
      onOpened: async (send) => {
        if (identity !== undefined) checkIdentity(this.#o.topic, identity, await send(metadataRequest(this.#o.topic)))
      },
    })
    this.#connections.set(name, connection)
    return connection
  }

  /** While a broker does not answer, asks the others whether it still leads: a frozen broker does not say so. */
  #watchLeader(
    nodeId: number,
    { partitions, expectedMs = LEADER_CHECK.baseMs }: SendOptions,
    connection: BrokerConnection,
  ): () => void {
    if (partitions === undefined) return () => {}
    const check = async (checks: number): Promise<void> => {
      const metadata = await this.refreshed().catch(() => undefined)
      if (stopped) return
      const leads = metadata?.partitions.some((each) => each.leader === nodeId && partitions.includes(each.partition))
      if (metadata !== undefined && leads === false) connection.drop(new Error(`broker ${nodeId} no longer leads`))
      else timer = setTimeout(() => void check(checks + 1), backoffMs(checks, LEADER_CHECK))
    }
    let stopped = false
    let timer = setTimeout(() => void check(1), expectedMs)
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }
}

/**
 * The metadata with the leaders of `known` where their epochs are higher: a broker that the controller cannot reach keeps
 * naming leaders of previous epochs. Another topic of the same name has its own epochs, and so has a log that was restored from a copy,
 * which has the same ids and lower epochs: there the known leader has denied it, or is not among the brokers.
 */
function withNewestLeaders(
  metadata: TopicMetadata,
  known: TopicMetadata | undefined,
  denied: ReadonlySet<number>,
): TopicMetadata {
  if (known === undefined || known.topicId !== metadata.topicId) return metadata
  const previous = new Map(known.partitions.map((each) => [each.partition, each]))
  const partitions = metadata.partitions.map((each) => {
    const before = previous.get(each.partition)
    const isNewer = before !== undefined && before.leaderEpoch > each.leaderEpoch
    return isNewer && !denied.has(each.partition) && metadata.brokers.has(before.leader) ? before : each
  })
  return { ...metadata, partitions }
}

/** An address may lead to another cluster, a name to another topic. The fault is retryable: `checkTwice` decides whether it lasts. */
function checkIdentity(topic: string, identity: LogIdentity | undefined, found: TopicMetadata): void {
  const fault = logFault({ topic, identity }, { ...found, partitionCount: found.partitions.length })
  if (fault !== undefined) throw kafkaFault('kafka_unavailable', fault.message)
}

/** `host:port`, where the host may be an IPv6 address in brackets. */
function parseAddress(address: string): BrokerAddress {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}
