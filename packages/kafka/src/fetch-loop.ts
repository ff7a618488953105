import type { KafkaClient } from './client.ts'
import { fetchFrom } from './fetch-from.ts'
import { createErrorFromCode } from './internals.ts'
import { TopicCluster } from './topic-cluster.ts'
import type { FetchedPartition } from './wire/fetch.ts'

export interface FetchLoopOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly bytesPerPartitionMax: number
  readonly now: () => number
  /** An answer of the broker for one partition. Answers the last offset taken over, or null to take none. */
  onFetched(partition: number, fetchedFrom: number, fetched: FetchedPartition): number | null
  /**
   * These partitions could not be fetched, and are fetched no more until they are started anew: behind a connection that
   * broke, or a leader that changed, there may be another log than before.
   */
  onInterrupted(partitions: readonly number[], error: Error): void
}

/** Fetches partitions from their leaders, each leader by itself, for as long as it lives. */
export interface FetchLoop {
  /** Reads a partition from `offset`; one that is read already begins anew. */
  start(partition: number, offset: number): void
  /** Reads from elsewhere; an answer that is under way is dropped. */
  seek(partition: number, offset: number): void
  pause(partition: number): void
  resume(partition: number): void
  /** Reads nothing more until the next `start`. */
  clear(): void
  /** When a fetch last ended; now, while none is under way. */
  readonly lastActivityMs: number
  /** Ends the connections at once. From the call on no callback is called. */
  close(): Promise<void>
}

const FETCH_BYTES_MAX = 16 * 1024 * 1024
/** Records end the wait of a fetch at once. What else ends later by it: a new place is asked for when it is over. */
const WAIT_MS = 200
/** After this long without any record the wait is longer: each fetch costs both sides more than it does the log. */
const SILENCE_MS = 5_000
const SILENT_WAIT_MS = 1_000
const PAUSE_MS = 100
const PAUSE_MS_MAX = 1_000
/** How soon a partition without a leader is looked at again. */
const LEADER_PAUSE_MS = 500

/** Where a partition is read. An answer to an earlier place is known by its being another object. */
interface Place {
  offset: number
  paused: boolean
}

interface Asked {
  readonly partition: number
  readonly offset: number
  readonly place: Place
}

/** Makes a loop on connections of its own; nothing connects before the first `start`. */
export function startFetchLoop(o: FetchLoopOptions): FetchLoop {
  const { topic, now } = o
  const cluster = new TopicCluster({ kafka: o.client.kafka, seeds: o.client.brokers, topic })
  /** In the order in which they are asked for. */
  const places = new Map<number, Place>()
  /** Of partitions whose last fetch failed: how often in a row. */
  const failures = new Map<number, number>()
  /** Brokers whose answer is waited for. */
  const busy = new Set<number>()
  const timers = new Set<NodeJS.Timeout>()
  let live = true
  let scheduled = false
  let lastActivityMs = now()
  let lastRecordsMs = now()

  function kick(): void {
    if (scheduled || !live) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      void round()
    })
  }

  /** Asks each leader that is not asked already. */
  async function round(): Promise<void> {
    if (![...places.values()].some(({ paused }) => !paused)) return
    try {
      await cluster.metadata()
      if (!live) return
    } catch (error) {
      interrupt(wanted(), error)
      return
    }
    for (const leader of new Set(wanted().map((partition) => cluster.leaderOf(partition)))) {
      if (busy.has(leader)) continue
      if (leader < 0) waitForLeader()
      else
        void ask(
          leader,
          wanted().filter((partition) => cluster.leaderOf(partition) === leader),
        )
    }
  }

  function wanted(): number[] {
    return [...places].flatMap(([partition, { paused }]) => (paused ? [] : [partition]))
  }

  async function ask(leader: number, partitions: readonly number[]): Promise<void> {
    const asked = partitions.flatMap((partition): Asked[] => {
      const place = places.get(partition)
      return place === undefined ? [] : [{ partition, offset: place.offset, place }]
    })
    if (busy.size === 0) lastActivityMs = now()
    busy.add(leader)
    try {
      const answers = await fetchFrom(cluster, leader, {
        topic,
        places: asked,
        maxWaitMs: now() - lastRecordsMs > SILENCE_MS ? SILENT_WAIT_MS : WAIT_MS,
        bytesMax: FETCH_BYTES_MAX,
        bytesPerPartitionMax: o.bytesPerPartitionMax,
      })
      if (live) takeAll(asked, answers)
    } catch (error) {
      interrupt(
        asked.filter(isCurrent).map(({ partition }) => partition),
        error,
      )
    } finally {
      lastActivityMs = now()
      busy.delete(leader)
      kick()
    }
  }

  function isCurrent({ partition, place }: Asked): boolean {
    return places.get(partition) === place
  }

  function takeAll(asked: readonly Asked[], answers: readonly FetchedPartition[]): void {
    const byPartition = new Map(asked.map((each) => [each.partition, each]))
    for (const fetched of answers) {
      const each = byPartition.get(fetched.partition)
      if (each === undefined || !isCurrent(each) || each.place.paused || each.place.offset !== each.offset) continue
      if (fetched.errorCode === 0 || fetched.outOfRange) take(each, fetched)
      else interrupt([fetched.partition], createErrorFromCode(fetched.errorCode))
    }
  }

  function take({ partition, offset, place }: Asked, fetched: FetchedPartition): void {
    failures.delete(partition)
    if (fetched.batches.length > 0) {
      lastRecordsMs = now()
      // To the end of the line: the answer has room for so much, and all shall have a turn.
      places.delete(partition)
      places.set(partition, place)
    }
    const taken = o.onFetched(partition, offset, fetched)
    if (taken !== null) place.offset = taken + 1
  }

  function interrupt(partitions: readonly number[], cause: unknown): void {
    if (!live || partitions.length === 0) return
    const error = cause instanceof Error ? cause : new Error(String(cause))
    let pauseMs = PAUSE_MS
    for (const partition of partitions) {
      places.delete(partition)
      const before = failures.get(partition) ?? 0
      failures.set(partition, before + 1)
      pauseMs = Math.max(pauseMs, Math.min(PAUSE_MS * 2 ** before, PAUSE_MS_MAX))
    }
    later(pauseMs, async () => {
      await cluster.refreshed().catch(() => {})
      if (live) o.onInterrupted(partitions, error)
    })
  }

  let waitsForLeader = false
  function waitForLeader(): void {
    if (waitsForLeader) return
    waitsForLeader = true
    later(LEADER_PAUSE_MS, async () => {
      await cluster.refreshed().catch(() => {})
      waitsForLeader = false
      kick()
    })
  }

  function later(ms: number, act: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      void act()
    }, ms)
    timers.add(timer)
  }

  return {
    start(partition, offset) {
      places.set(partition, { offset, paused: false })
      kick()
    },
    seek(partition, offset) {
      const place = places.get(partition)
      if (place !== undefined) places.set(partition, { offset, paused: place.paused })
      kick()
    },
    pause(partition) {
      const place = places.get(partition)
      if (place !== undefined) place.paused = true
    },
    resume(partition) {
      const place = places.get(partition)
      if (place !== undefined) place.paused = false
      kick()
    },
    clear: () => places.clear(),
    get lastActivityMs() {
      return busy.size === 0 ? now() : lastActivityMs
    },
    async close() {
      live = false
      for (const timer of timers) clearTimeout(timer)
      places.clear()
      await cluster.close()
    },
  }
}
