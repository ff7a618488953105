import { withTimeout } from '@ariftly/async'
import type { KafkaClient } from '../cluster/client.ts'
import { describeLog } from '../topics/describe-log.ts'

/** What a membership in a consumer group needs. */
export interface GroupMembershipOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** Milliseconds that never go back. */
  readonly clock: () => number
  /** A new assignment. */
  onJoin(partitions: readonly number[]): void
  /** The consumer has ended by itself for good, or is silent. Called at most once. */
  onDead(error: Error): void
}

/** A consumer of kafkajs as a member of the group alone: it fetches nothing. */
export interface GroupMembership {
  /** Tells the broker how far we are, for tools that show lag. Best effort. */
  commit(next: ReadonlyMap<number, number>): Promise<void>
  /** Leaves the group. Gives up waiting after `timeoutMs`; from the call on no callback is called. */
  close(timeoutMs: number): Promise<void>
}

/** More than turns, so that the heart beats in each turn: a heartbeat is also how a member learns that another is gone. */
const HEARTBEATS_PER_SESSION = 24
const HEARTBEAT_MS_MAX = 3_000
/** A group that is joined by a new member waits for the others no longer than this. */
const REBALANCE_TIMEOUT_MS = 10_000
const METADATA_MAX_AGE_MS = 30_000
/** A membership to which the coordinator has answered nothing for so long is dead. */
const SILENCE_MS_MAX = 30_000
const WATCH_EVERY_MS = 1_000
/**
 * How often the loop of kafkajs goes round, which beats the heart when it is due: at most, and so many times a session. A close
 * waits for it. A turn allocates more than anything else of a process at rest.
 */
const TURN_MS_MAX = 500
const TURNS_PER_SESSION = 20
/** A member keeps its place while the coordinator restarts: a new one would wait until the session of the old one has ended. */
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
    maxWaitTimeInMs: Math.min(TURN_MS_MAX, o.sessionTimeoutMs / TURNS_PER_SESSION),
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

  /** kafkajs's consumer can stop without an error: that shows by its silence while the brokers answer us. */
  async function watch(): Promise<void> {
    if (o.clock() - lastAnswerMs < SILENCE_MS_MAX) return
    await describeLog(o.client, o.topic, [])
    if (o.clock() - lastAnswerMs >= SILENCE_MS_MAX) die(new Error(`the group is silent for ${SILENCE_MS_MAX} ms`))
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    if (!live) return
    lastAnswerMs = o.clock()
    const partitions = payload.memberAssignment[o.topic] ?? []
    // kafkajs turns in its loop and asks the broker for nothing when all of it is paused.
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
   * kafkajs cannot end a consumer that connects or joins: it would start after its end, and hold partitions that no one
   * reads for as long as the process lives. So its start is waited for, also when `close` no longer waits.
   */
  async function leave(): Promise<void> {
    await started
    await consumer.disconnect().catch(() => {})
  }
}
