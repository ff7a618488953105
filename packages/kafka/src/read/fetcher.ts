import { deferred, orAborted, type Deferred } from '@ariftly/async'
import { fetchFrom } from './fetch-from.ts'
import { groupBy } from '../group-by.ts'
import { brokerFault, kafkaFault } from '../kafka-fault.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'
import type { FetchedPartition } from '../wire/fetch.ts'

/** A partition that wants its next records. */
interface Wanted extends Deferred<FetchedPartition> {
  readonly offset: number
  readonly signal: AbortSignal
}

/** Two partitions' worth: a part of a full answer is kept without a copy (`retain`), and does not keep much of the others. */
const FETCH_BYTES_MAX = 4 * 1024 * 1024
const PARTITION_BYTES_MAX = 2 * 1024 * 1024
/** New records end the wait of a fetch. A partition wanted meanwhile is asked for in the next request. */
const WAIT_MS = 200
/** After this long without any record the wait is longer: each fetch costs both sides more than it does the log. */
const SILENCE_MS = 5_000
const SILENT_WAIT_MS = 1_000

/**
 * Fetches records for many partitions: wanted partitions of one leader share a request, and each leader has one outstanding.
 * A failure concerns the partitions of its request only. A caller whose partition has nothing new gets one empty answer;
 * the partition is then asked for until it has records, so that idle partitions of an answer cost nothing.
 */
export class Fetcher {
  /** Requests that were sent. */
  requests = 0
  readonly #cluster: TopicCluster
  /** In the order of the next request: partitions that got nothing last time are first. */
  readonly #wanted = new Map<number, Wanted>()
  readonly #busy = new Set<number>()
  /** The ends of partitions that empty answers were given for. */
  readonly #givenEnds = new Map<number, number>()
  #isScheduled = false
  #lastRecordsMs = performance.now()

  constructor(cluster: TopicCluster) {
    this.#cluster = cluster
  }

  /**
   * What the leader has of a partition from `offset` on, or (once for each end of the log) that this is the end; undefined
   * after the signal. Rejects when the partition has no leader, or the leader cannot be asked. One call for each partition
   * at a time.
   */
  async fetch(partition: number, offset: number, signal: AbortSignal): Promise<FetchedPartition | undefined> {
    const wanted = { ...deferred<FetchedPartition>(), offset, signal }
    this.#wanted.set(partition, wanted)
    this.#schedule()
    try {
      return await orAborted(wanted.promise, signal)
    } finally {
      if (this.#wanted.get(partition) === wanted) this.#wanted.delete(partition)
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#round()
    })
  }

  /** Asks each leader that is not being asked. */
  async #round(): Promise<void> {
    const cluster = this.#cluster
    try {
      await cluster.metadata()
    } catch (error) {
      for (const wanted of this.#wanted.values()) wanted.reject(error)
      this.#wanted.clear()
      this.#givenEnds.clear()
      return
    }
    const idle = [...this.#wanted].filter(([partition]) => !this.#busy.has(cluster.leaderOf(partition)))
    for (const [leader, group] of groupBy(idle, ([partition]) => cluster.leaderOf(partition))) {
      for (const [partition] of group) this.#wanted.delete(partition)
      void this.#ask(leader, new Map(group))
    }
  }

  /** `left`: the partitions without an answer yet. */
  async #ask(leader: number, left: Map<number, Wanted>): Promise<void> {
    this.#busy.add(leader)
    try {
      if (leader < 0) throw kafkaFault('kafka_unavailable', 'The partition has no leader.')
      this.requests += 1
      const isSilent = performance.now() - this.#lastRecordsMs > SILENCE_MS
      const answers = await fetchFrom(this.#cluster, leader, {
        places: Array.from(left, ([partition, { offset }]) => ({ partition, offset })),
        maxWaitMs: isSilent ? SILENT_WAIT_MS : WAIT_MS,
        bytesMax: FETCH_BYTES_MAX,
        bytesPerPartitionMax: PARTITION_BYTES_MAX,
      })
      for (const fetched of answers.toSorted((a, b) => a.batches.length - b.batches.length)) {
        const wanted = left.get(fetched.partition)
        left.delete(fetched.partition)
        if (fetched.batches.length > 0) this.#lastRecordsMs = performance.now()
        if (wanted !== undefined) this.#settle(wanted, fetched)
      }
      if (left.size > 0) this.#reject(left, new Error('the partition is missing in the answer'))
    } catch (error) {
      this.#reject(left, error)
    } finally {
      this.#busy.delete(leader)
      if (this.#wanted.size > 0) this.#schedule()
    }
  }

  #settle(wanted: Wanted, fetched: FetchedPartition): void {
    const { partition, errorCode, highWatermark } = fetched
    if (errorCode !== 0 && !fetched.outOfRange) {
      this.#reject([[partition, wanted]], brokerFault(errorCode))
      return
    }
    const isEnd = errorCode === 0 && fetched.batches.length === 0 && highWatermark === wanted.offset
    if (isEnd && this.#givenEnds.get(partition) === highWatermark) {
      if (!wanted.signal.aborted) this.#wanted.set(partition, wanted)
      return
    }
    if (isEnd) this.#givenEnds.set(partition, highWatermark)
    wanted.resolve(fetched)
  }

  /** Refreshes the metadata too, as the leader may have changed. */
  #reject(wanted: Iterable<readonly [number, Wanted]>, error: unknown): void {
    let isAny = false
    for (const [partition, each] of wanted) {
      this.#givenEnds.delete(partition)
      each.reject(error)
      isAny = true
    }
    if (isAny) void this.#cluster.refreshed().catch(() => {})
  }
}
