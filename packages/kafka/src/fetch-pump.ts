import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { KafkaClient } from './client.ts'
import { RAW_FETCH, type FetchedMessage } from './patch-fetch.ts'
import type { FetchedPartition } from './wire/fetch.ts'

export interface FetchPumpOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly maxBytesPerPartition: number
  readonly maxWaitTimeMs: number
  readonly now: () => number
  /** A new assignment. Called before anything of it is fetched; every partition of it is paused until `start`. */
  onJoin(partitions: readonly number[]): void
  /** An answer of the broker for one partition. Answers the last offset taken over, or null to take none. */
  onFetched(partition: number, fetchedFrom: number, fetched: FetchedPartition): number | null
  /** The consumer has ended by itself and will not come back. Called at most once. */
  onDead(error: Error): void
}

/** A kafkajs consumer reduced to what a reader needs: it fetches what it is told, and says what came. */
export interface FetchPump {
  /** Reads a partition of the present assignment from `offset`. */
  start(partition: number, offset: number): void
  /** Reads from elsewhere; answers that are under way are dropped. */
  seek(partition: number, offset: number): void
  pause(partition: number): void
  resume(partition: number): void
  /** Tells the broker how far we are, for tools that show lag. Best effort. */
  commit(next: ReadonlyMap<number, number>): Promise<void>
  /** When a fetch last ended, or (before the first) when the pump was made. */
  readonly lastActivityMs: number
  /** Leaves the group. Gives up waiting after `timeoutMs`; from the call on no callback is called. */
  close(timeoutMs: number): Promise<void>
}

const HEARTBEATS_PER_SESSION = 10
/** A group that is joined by a new member waits for the others no longer than this. */
const REBALANCE_TIMEOUT_MS = 10_000
const METADATA_MAX_AGE_MS = 30_000
const FETCH_BYTES_MAX = 16 * 1024 * 1024

/** Makes and starts a pump. Failing to connect or to join is told by `onDead` too. */
export function startFetchPump(o: FetchPumpOptions): FetchPump {
  let live = true
  let lastActivityMs = o.now()
  const consumer = o.client.kafka.consumer({
    groupId: o.groupId,
    sessionTimeout: o.sessionTimeoutMs,
    rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, o.sessionTimeoutMs),
    heartbeatInterval: Math.max(100, Math.round(o.sessionTimeoutMs / HEARTBEATS_PER_SESSION)),
    maxBytesPerPartition: o.maxBytesPerPartition,
    maxBytes: FETCH_BYTES_MAX,
    minBytes: 1,
    maxWaitTimeInMs: o.maxWaitTimeMs,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    rackId: RAW_FETCH,
    // A crash is told by the event; the reader makes a new consumer, whose state is known.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5, restartOnFailure: async () => false },
  })

  function die(error: Error): void {
    if (!live) return
    live = false
    o.onDead(error)
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    if (!live) return
    const partitions = payload.memberAssignment[o.topic] ?? []
    if (partitions.length > 0) consumer.pause([{ topic: o.topic, partitions }])
    o.onJoin(partitions)
  })
  consumer.on(consumer.events.FETCH, () => {
    lastActivityMs = o.now()
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => die(payload.error))

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (!live || payload.isStale()) return
    const { batch } = payload
    const message = batch.messages[0] as FetchedMessage | undefined
    if (message?.fetched === undefined) throw new Error('The broker does not speak Fetch v11.')
    const { fetchedOffset } = batch as unknown as { readonly fetchedOffset: string }
    const taken = o.onFetched(batch.partition, Number(fetchedOffset), message.fetched)
    if (taken !== null) payload.resolveOffset(String(taken))
  }

  async function run(): Promise<void> {
    await consumer.connect()
    if (!live) return
    // Only what has no committed offset is read from there, and only until we seek: a jump shows in the guard.
    await consumer.subscribe({ topic: o.topic, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch, partitionsConsumedConcurrently: 1 })
  }
  const started = run().catch((error: unknown) => die(error instanceof Error ? error : new Error(String(error))))

  return {
    start(partition, offset) {
      guarded(() => {
        consumer.seek({ topic: o.topic, partition, offset: String(offset) })
        consumer.resume([{ topic: o.topic, partitions: [partition] }])
      })
    },
    seek: (partition, offset) => guarded(() => consumer.seek({ topic: o.topic, partition, offset: String(offset) })),
    pause: (partition) => guarded(() => consumer.pause([{ topic: o.topic, partitions: [partition] }])),
    resume: (partition) => guarded(() => consumer.resume([{ topic: o.topic, partitions: [partition] }])),
    async commit(next) {
      if (!live || next.size === 0) return
      const offsets = Array.from(next, ([partition, offset]) => ({ topic: o.topic, partition, offset: String(offset) }))
      await consumer.commitOffsets(offsets).catch(() => {})
    },
    get lastActivityMs() {
      return lastActivityMs
    },
    async close(timeoutMs) {
      live = false
      await giveUpAfter(timeoutMs, leave())
    },
  }

  /**
   * kafkajs cannot end a consumer that connects or joins: it would come up after its end, and hold partitions that nobody
   * reads for as long as the process lives. So its start is waited for, also when `close` no longer waits.
   */
  async function leave(): Promise<void> {
    await started
    await disconnect(consumer)
  }

  /** The consumer may have ended a moment ago; then it refuses, and whoever called learns of the end by `onDead`. */
  function guarded(act: () => void): void {
    if (!live) return
    try {
      act()
    } catch (error) {
      o.client.log.debug({ err: error, groupId: o.groupId }, 'the consumer has ended')
    }
  }
}

async function disconnect(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => {})
}

async function giveUpAfter(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
