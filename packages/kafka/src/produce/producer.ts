import { setMaxListeners } from 'node:events'
import { backoffMs, sleep, withTimeout } from '@ariftly/async'
import { createBatchSpaces } from './batch-spaces.ts'
import type { KafkaClient } from '../cluster/client.ts'
import { groupBy } from '../group-by.ts'
import type { LogIdentity } from '../log-identity.ts'
import { mayTryAgain, mergeOutcomes, outcomeOf, type PartitionOutcome } from './partition-outcome.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'
import { produceRequest, type PartitionBatch } from '../wire/produce.ts'
import { encodeRecordBatch, type BatchRecord, type BatchSpace } from '../wire/encode-record-batch.ts'

/** A record to write: bytes as they shall be in the log. */
export interface ProducerRecord extends BatchRecord {
  readonly partition: number
}

/** The outcome of each partition that the records named. */
interface ProduceOutcome {
  readonly partitions: ReadonlyMap<number, PartitionOutcome>
  /** True when every partition is `written`. */
  readonly ok: boolean
}

/** How long one send may take. */
interface ProduceOptions {
  /** No produce request is started after this. Default 10,000 ms. */
  readonly timeoutMs?: number
  /** A partition whose leader cannot be reached (so that nothing was sent) is given up after this. Default `timeoutMs`. */
  readonly unsentMs?: number
  /** Called with the outcome of each partition once, as soon as it is known. */
  readonly onOutcome?: (partition: number, outcome: PartitionOutcome) => void
}

/** Writes records of one topic. */
export interface EventProducer {
  /**
   * Writes records of one topic with acks=all, in input order within a partition. Never rejects. Resolves when every
   * partition is decided, at the latest after `timeoutMs`. What the broker may do again (leader moved, too few replicas,
   * connection lost) is tried again until then, each partition alone. A try whose outcome is `unknown` may have
   * written its batch, and no try follows the second of them: one send writes a record at most twice.
   * Sends of one partition that overlap may be reordered: keep one outstanding for each partition that needs order.
   */
  send(records: readonly ProducerRecord[], o?: ProduceOptions): Promise<ProduceOutcome>
  /** Asks a broker for the topic's metadata: true when one answers within `timeoutMs` (default 2,000). For a breaker. */
  probe(timeoutMs?: number): Promise<boolean>
  /** Node id of a partition's leader as last heard; -1 when it has none. */
  leaderOf(partition: number): number
  close(): Promise<void>
}

/** What a producer writes to. */
export interface ProducerOptions {
  readonly topic: string
  /** The log that may be written to, the same object while it stays the same; undefined: any. */
  readonly identity?: () => LogIdentity | undefined
}

const SEND_TIMEOUT_MS = 10_000
const RETRY = { baseMs: 50, maxMs: 500 } as const
/** Tries of one batch that may end `unknown`: each of them may have written it. */
const UNKNOWN_TRIES_MAX = 2
const UNANSWERED: PartitionOutcome = { type: 'unknown', code: 'NO_ANSWER' }
/** How long before the deadline the broker gives up waiting for replicas, so that its answer still arrives. */
const ANSWER_MARGIN_MS = 200

/**
 * Makes a producer on connections of its own. It does not use the Produce of kafkajs, which has one outcome for a request,
 * so one refused partition fails its neighbours; its encoding also costs about 15 µs a record. Idempotence stays off:
 * kafkajs's loses acknowledged records when sends overlap.
 */
export function createProducer(client: KafkaClient, o: ProducerOptions): EventProducer {
  return new Producer(client, o)
}

class Producer implements EventProducer {
  readonly #topic: string
  readonly #cluster: TopicCluster
  readonly #spaces = createBatchSpaces()
  readonly #closing = new AbortController()

  constructor(client: KafkaClient, { topic, identity }: ProducerOptions) {
    this.#topic = topic
    this.#cluster = client.ownCluster(topic, identity)
    // Each partition that is tried again listens to it, and Node warns of more than ten.
    setMaxListeners(0, this.#closing.signal)
  }

  async send(records: readonly ProducerRecord[], options: ProduceOptions = {}): Promise<ProduceOutcome> {
    const { timeoutMs = SEND_TIMEOUT_MS, unsentMs = timeoutMs, onOutcome } = options
    const startedMs = performance.now()
    const limits = { deadline: startedMs + timeoutMs, unsentDeadline: startedMs + Math.min(unsentMs, timeoutMs) }
    const outcomes = new Map<number, PartitionOutcome>()
    const space = this.#spaces.take()
    let isAnswered = true
    const batches = encodeByPartition(records, space)
    await withTimeout(this.#cluster.metadata(), timeoutMs).catch(() => {})
    await Promise.all(
      groupBy(batches, ({ partition }) => this.#cluster.leaderOf(partition)).map(async ([leader, group]) => {
        const first = await this.#produce(leader, group, limits.deadline)
        await Promise.all(
          group.map(async (batch) => {
            const { partition } = batch
            const answer = first.get(partition) ?? UNANSWERED
            if (answer.type !== 'written') isAnswered = false
            const outcome = mayTryAgain(answer) ? await this.#tryAgain(batch, answer, limits) : answer
            outcomes.set(partition, outcome)
            onOutcome?.(partition, outcome)
          }),
        )
      }),
    )
    // The leaders have read all of it, and nothing was sent twice.
    if (isAnswered) this.#spaces.giveBack(space)
    return { partitions: outcomes, ok: [...outcomes.values()].every(({ type }) => type === 'written') }
  }

  async probe(timeoutMs = 2_000): Promise<boolean> {
    try {
      await withTimeout(this.#cluster.refreshed(), timeoutMs)
      return true
    } catch {
      return false
    }
  }

  leaderOf(partition: number): number {
    return this.#cluster.leaderOf(partition)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#cluster.close()
  }

  /** Sends the batch of one partition alone until it is decided, was left open twice, or the time is over. */
  async #tryAgain(batch: PartitionBatch, first: PartitionOutcome, limits: Limits): Promise<PartitionOutcome> {
    const { partition } = batch
    const { signal } = this.#closing
    let outcome = first
    let unknownTries = first.type === 'unknown' ? 1 : 0
    for (let tries = 0; ; tries += 1) {
      const pauseMs = backoffMs(tries, RETRY)
      const end = outcome.type === 'unsent' ? limits.unsentDeadline : limits.deadline
      if (performance.now() + pauseMs >= end || signal.aborted) return outcome
      await sleep(pauseMs, signal)
      await withTimeout(this.#cluster.refreshed(), end - performance.now()).catch(() => {})
      const answers = await this.#produce(this.#cluster.leaderOf(partition), [batch], limits.deadline)
      const answer = answers.get(partition) ?? UNANSWERED
      outcome = mergeOutcomes(outcome, answer)
      if (answer.type === 'unknown') unknownTries += 1
      if (!mayTryAgain(answer) || unknownTries >= UNKNOWN_TRIES_MAX) return outcome
    }
  }

  /** One request to one leader, and what it says of each partition. */
  async #produce(
    leader: number,
    batches: readonly PartitionBatch[],
    deadline: number,
  ): Promise<ReadonlyMap<number, PartitionOutcome>> {
    if (leader < 0) return sameForAll(batches, { type: 'unsent', code: 'LEADER_NOT_AVAILABLE' })
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) return sameForAll(batches, { type: 'unsent', code: 'NO_ANSWER' })
    const timeoutMs = Math.max(1, Math.floor(leftMs - ANSWER_MARGIN_MS))
    const { topicId, partitionCount } = this.#cluster
    const request = produceRequest({ topic: this.#topic, topicId, timeoutMs, batches })
    let sent = false
    try {
      const answers = await this.#cluster.send(leader, request, {
        channel: 'produce',
        // A request that waits for replicas would hold up the requests behind it on its connection.
        connections: partitionCount,
        timeoutMs: leftMs,
        partitions: batches.map(({ partition }) => partition),
        onSent: () => {
          sent = true
        },
      })
      for (const { partition, code } of answers) this.#cluster.noteError(partition, code)
      return new Map(answers.map((answer) => [answer.partition, outcomeOf(answer, leader)]))
    } catch (error) {
      return sameForAll(batches, { type: sent ? 'unknown' : 'unsent', code: codeOf(error) })
    }
  }
}

/** When a send ends, by `performance.now`: at the latest, and for a partition of which nothing could be sent. */
interface Limits {
  readonly deadline: number
  readonly unsentDeadline: number
}

function encodeByPartition(records: readonly ProducerRecord[], space: BatchSpace): PartitionBatch[] {
  const nowMs = Date.now()
  return groupBy(records, ({ partition }) => partition).map(([partition, list]) => ({
    partition,
    batch: encodeRecordBatch(list, { nowMs, space }),
  }))
}

function sameForAll(
  batches: readonly PartitionBatch[],
  outcome: PartitionOutcome,
): ReadonlyMap<number, PartitionOutcome> {
  return new Map(batches.map(({ partition }) => [partition, outcome]))
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if ('type' in error && typeof error.type === 'string') return error.type
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name
}
