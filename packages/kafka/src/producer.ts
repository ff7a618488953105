import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaClient } from './client.ts'
import type { InternalBroker, InternalCluster, ProtocolRequest } from './internals.ts'
import { createTopicCluster, dropConnection } from './topic-cluster.ts'
import { withTimeout } from '@ariftly/async'
import { decodeProduced, encodeProduce, type PartitionBatch, type PartitionProduced } from './wire/produce.ts'
import { encodeRecordBatch, type BatchRecord } from './wire/encode-record-batch.ts'

/** A record to write: bytes as they shall stand in the log. */
export interface ProducerRecord extends BatchRecord {
  readonly partition: number
}

/**
 * What became of the records of one partition, which stand or fall together.
 *
 * - `written`: acknowledged by all in-sync replicas, at `baseOffset` and following, in input order.
 * - `refused`: the broker said no (`MESSAGE_TOO_LARGE`, `INVALID_RECORD`, …); they are not in the log.
 * - `unknown`: no answer in time, or an answer that leaves it open: they may be in the log, or may yet appear.
 *   Send again with the same event ids.
 * - `unsent`: never sent, as no connection could be had in time; they are not in the log.
 */
export type PartitionOutcome =
  | { readonly type: 'written'; readonly baseOffset: number; readonly appendedAtMs: number }
  | { readonly type: 'refused'; readonly code: string }
  | { readonly type: 'unknown'; readonly code: string }
  | { readonly type: 'unsent'; readonly code: string }

/** The outcome of each partition that the records named. */
export interface ProduceOutcome {
  readonly partitions: ReadonlyMap<number, PartitionOutcome>
  /** True when every partition is `written`. */
  readonly ok: boolean
}

export interface EventProducer {
  /**
   * Writes records of one topic with acks=all, in input order within a partition. Never rejects. Answers at the latest
   * after `timeoutMs` (default 10,000): no produce request is started after that. What the broker may do again (leader
   * moved, too few replicas, connection lost) is tried again until then, so a record can stand in the log twice.
   * Sends that overlap may be reordered among each other: keep one outstanding for each lane that needs order.
   */
  send(records: readonly ProducerRecord[], o?: { readonly timeoutMs?: number }): Promise<ProduceOutcome>
  /** Asks a broker for the topic's metadata: true when it answers within `timeoutMs` (default 2,000). For a breaker. */
  probe(timeoutMs?: number): Promise<boolean>
  /** True while a connection to a broker stands. */
  readonly connected: boolean
  close(): Promise<void>
}

export interface ProducerOptions {
  readonly topic: string
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip'
  /** Milliseconds that never go back, for deadlines; default `performance.now`. */
  readonly now?: () => number
}

const SEND_TIMEOUT_MS = 10_000
const RETRY_PAUSE_MS = 50
const RETRY_PAUSE_MS_MAX = 500
/** How long before the deadline the broker gives up waiting for replicas, so that its answer still arrives. */
const ANSWER_MARGIN_MS = 200

/** Answers after which the same batch may be sent again; the batch is not in the log. */
const TRY_AGAIN: ReadonlySet<string> = new Set([
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
])
/** Answers after which the batch may be in the log: tried again, and `unknown` if that does not help. */
const LEFT_OPEN: ReadonlySet<string> = new Set([
  'UNKNOWN_SERVER_ERROR',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
])

/**
 * Makes a producer on connections of its own. It speaks Produce itself through kafkajs's cluster and connections: kafkajs
 * answers for a request as a whole, so that one refused partition fails its neighbours, and encoding costs it about 15 µs a
 * record. Idempotence stays off: kafkajs's loses acknowledged records when sends overlap.
 */
export function createProducer(client: KafkaClient, o: ProducerOptions): EventProducer {
  const { topic, compression = 'none', now = () => performance.now() } = o
  const connection = createTopicCluster(client.kafka, topic)
  const closing = new AbortController()

  async function send(
    records: readonly ProducerRecord[],
    { timeoutMs = SEND_TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
  ): Promise<ProduceOutcome> {
    const deadline = now() + timeoutMs
    const outcomes = new Map<number, PartitionOutcome>()
    let left = encodeByPartition(records)
    for (const { partition } of left) outcomes.set(partition, { type: 'unsent', code: 'NO_CONNECTION' })
    for (let pauseMs = RETRY_PAUSE_MS; left.length > 0; pauseMs = Math.min(2 * pauseMs, RETRY_PAUSE_MS_MAX)) {
      await attempt(left, deadline, outcomes)
      left = left.filter(({ partition }) => mayTryAgain(outcomes.get(partition)))
      if (left.length === 0 || closing.signal.aborted || now() + pauseMs >= deadline) break
      await delay(pauseMs, undefined, { signal: closing.signal }).catch(() => {})
      await withTimeout(connection.refreshed(), deadline - now()).catch(() => {})
    }
    return { partitions: outcomes, ok: [...outcomes.values()].every(({ type }) => type === 'written') }
  }

  function encodeByPartition(records: readonly ProducerRecord[]): PartitionBatch[] {
    const byPartition = new Map<number, ProducerRecord[]>()
    for (const record of records) {
      const list = byPartition.get(record.partition)
      if (list) list.push(record)
      else byPartition.set(record.partition, [record])
    }
    const nowMs = Date.now()
    return Array.from(byPartition, ([partition, list]) => ({
      partition,
      batch: encodeRecordBatch(list, { nowMs, compression }),
    }))
  }

  /** One round: a request to each leader. Only outcomes of partitions that it got an answer for, or sent, are changed. */
  async function attempt(
    batches: readonly PartitionBatch[],
    deadline: number,
    outcomes: Map<number, PartitionOutcome>,
  ): Promise<void> {
    let cluster: InternalCluster
    let leaders: Record<string, number[]>
    try {
      cluster = await withTimeout(connection.ready(), deadline - now())
      leaders = cluster.findLeaderForPartitions(
        topic,
        batches.map(({ partition }) => partition),
      )
    } catch (error) {
      noteUnsent(batches, outcomes, codeOf(error))
      return
    }
    await Promise.all(
      Object.entries(leaders).map(([nodeId, partitions]) => {
        const mine = batches.filter(({ partition }) => partitions.includes(partition))
        return produceTo({ cluster, nodeId, batches: mine, deadline, outcomes })
      }),
    )
  }

  async function produceTo({ cluster, nodeId, batches, deadline, outcomes }: LeaderRequest): Promise<void> {
    let broker: InternalBroker
    try {
      broker = await withTimeout(connection.broker(cluster, nodeId), deadline - now())
    } catch (error) {
      noteUnsent(batches, outcomes, codeOf(error))
      return
    }
    const leftMs = deadline - now()
    if (leftMs <= 0) return
    const timeoutMs = Math.max(1, Math.floor(leftMs - ANSWER_MARGIN_MS))
    try {
      const request = produceRequest(encodeProduce({ topic, timeoutMs, batches }))
      for (const answer of await withTimeout(broker.connectionPool.send(request), leftMs)) note(answer, outcomes)
    } catch (error) {
      for (const { partition } of batches) outcomes.set(partition, { type: 'unknown', code: codeOf(error) })
      dropConnection(cluster, broker, error)
    }
  }

  async function probe(timeoutMs = 2_000): Promise<boolean> {
    try {
      await withTimeout(connection.refreshed(), timeoutMs)
      return true
    } catch {
      return false
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    await connection.close()
  }

  return {
    send,
    probe,
    get connected() {
      return connection.connected
    },
    close,
  }
}

interface LeaderRequest {
  readonly cluster: InternalCluster
  readonly nodeId: string
  readonly batches: readonly PartitionBatch[]
  readonly deadline: number
  readonly outcomes: Map<number, PartitionOutcome>
}

function produceRequest(body: Buffer): ProtocolRequest<readonly PartitionProduced[]> {
  return {
    request: {
      apiKey: 0,
      apiVersion: 7,
      apiName: 'Produce',
      encode: async () => ({ buf: body, buffer: body }),
    },
    response: {
      decode: async (data) => decodeProduced(data),
      parse: async (decoded) => decoded,
    },
    logResponseError: false,
  }
}

function note(answer: PartitionProduced, outcomes: Map<number, PartitionOutcome>): void {
  const { partition, code, baseOffset, appendedAtMs } = answer
  if (code === 'NONE') outcomes.set(partition, { type: 'written', baseOffset, appendedAtMs })
  else if (LEFT_OPEN.has(code)) outcomes.set(partition, { type: 'unknown', code })
  else if (TRY_AGAIN.has(code)) noteUnsent([{ partition }], outcomes, code)
  else outcomes.set(partition, { type: 'refused', code })
}

/** A partition whose earlier try was left open stays `unknown`, whatever the later tries say. */
function noteUnsent(
  batches: readonly { readonly partition: number }[],
  outcomes: Map<number, PartitionOutcome>,
  code: string,
): void {
  for (const { partition } of batches) {
    if (outcomes.get(partition)?.type !== 'unknown') outcomes.set(partition, { type: 'unsent', code })
  }
}

function mayTryAgain(outcome: PartitionOutcome | undefined): boolean {
  return outcome?.type === 'unsent' || outcome?.type === 'unknown'
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if ('type' in error && typeof error.type === 'string') return error.type
  return error.name
}
