import { withTimeout } from '@ariftly/async'
import type { KafkaClient } from '../cluster/client.ts'
import { describeLog } from '../topics/describe-log.ts'

interface GroupMembershipOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** A new assignment. */
  onJoin(partitions: readonly number[]): void
  /** The consumer has crashed or is silent. Called at most once. */
  onDead(error: Error): void
}

/** A consumer of kafkajs as a member of the group alone: it fetches nothing. */
export interface GroupMembership {
  /** Commits offsets for tools that show lag. Best effort. */
  commit(next: ReadonlyMap<number, number>): Promise<void>
  /** Leaves the group. Gives up waiting after `timeoutMs`; from the call on no callback is called. */
  close(timeoutMs: number): Promise<void>
}

/** More heartbeats than polls, so each poll sends one: a heartbeat also reports that a member has left. */
const HEARTBEATS_PER_SESSION = 24
const HEARTBEAT_MS_MAX = 3_000
/** When a member joins, the group waits at most this long for the others. */
const REBALANCE_TIMEOUT_MS = 10_000
const METADATA_MAX_AGE_MS = 30_000
/** A membership without an answer of the coordinator for this long is dead. */
const SILENCE_MS_MAX = 30_000
const WATCH_EVERY_MS = 5_000
/**
 * kafkajs poll interval: at most 500 ms or session/8. It bounds heartbeats and how long `close` takes. A poll allocates more
 * than anything else in an idle process.
 */
const POLL_MS_MAX = 500
const POLLS_PER_SESSION = 8
/** Retries keep the member while the coordinator restarts: a new member would wait until the old one's session has ended. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 20 }

/** Joins. A failure to connect or to join calls `onDead` too. */
export function joinGroup(o: GroupMembershipOptions): GroupMembership {
  let live = true
  let lastAnswerMs = o.clock()
  const consumer = o.client.kafka.consumer({
    groupId: o.groupId,
    sessionTimeout: o.sessionTimeoutMs,
    rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, o.sessionTimeoutMs),
    heartbeatInterval: Math.min(Math.max(100, o.sessionTimeoutMs / HEARTBEATS_PER_SESSION), HEARTBEAT_MS_MAX),
    maxWaitTimeInMs: Math.min(POLL_MS_MAX, o.sessionTimeoutMs / POLLS_PER_SESSION),
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    // A crash is reported by the event; the reader makes a new consumer, whose state is known.
    retry: { ...RETRY, restartOnFailure: async () => false },
  })

  function die(error: Error): void {
    if (!live) return
    end()
    o.onDead(error)
  }

  function end(): void {
    live = false
    clearInterval(watching)
  }

  /** Detects a kafkajs consumer that stopped without an error: it is silent while the brokers answer us. */
  async function watch(): Promise<void> {
    if (o.clock() - lastAnswerMs < SILENCE_MS_MAX) return
    await describeLog(o.client, o.topic, [])
    if (o.clock() - lastAnswerMs >= SILENCE_MS_MAX) die(new Error(`the group is silent for ${SILENCE_MS_MAX} ms`))
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    if (!live) return
    lastAnswerMs = o.clock()
    const partitions = payload.memberAssignment[o.topic] ?? []
    // With all partitions paused kafkajs sends heartbeats but no fetch requests.
    if (partitions.length > 0) consumer.pause([{ topic: o.topic, partitions }])
    o.onJoin(partitions)
  })
  consumer.on(consumer.events.HEARTBEAT, () => {
    lastAnswerMs = o.clock()
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => die(payload.error))

  async function run(): Promise<void> {
    await consumer.connect()
    if (!live) return
    await consumer.subscribe({ topic: o.topic, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} })
  }
  const watching = setInterval(() => void watch().catch(() => {}), WATCH_EVERY_MS)
  const started = run().catch((error: unknown) => die(error instanceof Error ? error : new Error(String(error))))

  return {
    async commit(next) {
      if (!live || next.size === 0) return
      const offsets = Array.from(next, ([partition, offset]) => ({ topic: o.topic, partition, offset: String(offset) }))
      await consumer.commitOffsets(offsets).catch(() => {})
    },
    async close(timeoutMs) {
      end()
      await withTimeout(leave(), timeoutMs).catch(() => {})
    },
  }

  /**
   * kafkajs cannot stop a consumer that connects or joins: it would start afterwards and hold partitions that nothing reads
   * until the process ends. So this waits for its start, also after `close` has timed out.
   */
  async function leave(): Promise<void> {
    await started
    await consumer.disconnect().catch(() => {})
  }
}
