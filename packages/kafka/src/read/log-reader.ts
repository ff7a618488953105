import { backoffMs, deferred, withTimeout } from '@ariftly/async'
import { Fault } from '@ariftly/fault'
import { Fetcher } from './fetcher.ts'
import { joinGroup, type GroupMembership } from './group-membership.ts'
import { Locator } from './locator.ts'
import type { LogReaderOptions, PartitionLag } from './log-reader-options.ts'
import { PartitionReader } from './partition-reader.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'

/** Reads partitions of a topic until it is closed. */
export interface LogReader {
  /** Leaves its group, if it is in one, and waits for running handlers (their signal is aborted). */
  close(): Promise<void>
  /** `starting` until the first assignment is positioned; `stopped` after a close, or when the log is another one. */
  readonly state: 'starting' | 'running' | 'stopped'
  /** The partitions that this process reads now, in order. */
  assigned(): readonly number[]
  /** How far each assigned partition is read, as last seen. */
  lag(): ReadonlyMap<number, PartitionLag>
  /** How many times reading was restarted: a connection broke, a leader changed, or the group membership ended. */
  readonly rebuilds: number
  /** How many times a batch could not be decoded or its handler threw, so that it was tried again. */
  readonly failedBatches: number
  /** How many fetch requests were sent. */
  readonly fetches: number
  /** Resolves when the reader has stopped: after `close`, or with the fault `log_identity_changed` or `partition_count_changed`. */
  readonly stopped: Promise<Error | undefined>
}

/** Below the 7 s for which a killed process may be felt. */
const SESSION_TIMEOUT_MS = 6_000
const COMMIT_EVERY_MS = 5_000
/** How long a last commit for tools may take. */
const COMMIT_MS = 1_000
const LEAVE_MS = 3_000
const REBUILD = { baseMs: 100, maxMs: 2_000 } as const

/**
 * Starts a reader of the log, of the partitions that its consumer group assigns or of all. It runs until it is closed and
 * retries while brokers are unavailable. Only a replaced log stops it.
 *
 * Handlers of different partitions run concurrently, those of one partition one after another. Each is called with a
 * contiguous run of offsets from the stored position on. The group only assigns partitions: progress is in `positions`
 * alone, so offsets that the broker forgot do no harm.
 */
export function startLogReader(o: LogReaderOptions): LogReader {
  return new GroupReader(o)
}

class GroupReader implements LogReader {
  state: LogReader['state'] = 'starting'
  rebuilds = 0
  failedBatches = 0
  readonly #stopped = deferred<Error | undefined>()
  readonly stopped = this.#stopped.promise
  readonly #o: LogReaderOptions
  readonly #cluster: TopicCluster
  readonly #fetcher: Fetcher
  #committing: NodeJS.Timeout | undefined
  #joining: NodeJS.Timeout | undefined
  #readers: ReadonlyMap<number, PartitionReader> = new Map()
  /** Settles when the handlers of previous assignments have ended. */
  #ending: Promise<unknown> = Promise.resolve()
  /** Settles when previous memberships have left. */
  #leaving: Promise<unknown> = Promise.resolve()
  #group: GroupMembership | undefined
  /** Rebuilds in a row, without partitions read in between. */
  #rebuildsInRow = 0
  #lastError: unknown
  readonly #committed = new Map<number, number>()
  #closing: Promise<void> | undefined

  constructor(o: LogReaderOptions) {
    this.#o = o
    this.#cluster = o.client.ownCluster(o.topic, () => o.identity)
    this.#fetcher = new Fetcher(this.#cluster)
    if (o.groupId === undefined) {
      this.#assign(Array.from({ length: o.partitionCount }, (_, partition) => partition))
      return
    }
    this.#committing = setInterval(() => void this.#commit(), COMMIT_EVERY_MS)
    this.#join(o.groupId)
  }

  assigned(): readonly number[] {
    return [...this.#readers.keys()]
  }

  lag(): ReadonlyMap<number, PartitionLag> {
    return new Map(
      [...this.#readers].flatMap(([partition, { lag }]) => (lag === undefined ? [] : [[partition, lag] as const])),
    )
  }

  get fetches(): number {
    return this.#fetcher.requests
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  #join(groupId: string): void {
    const { client, topic, sessionTimeoutMs = SESSION_TIMEOUT_MS, clock = () => performance.now() } = this.#o
    this.#group = joinGroup({
      client,
      topic,
      groupId,
      sessionTimeoutMs,
      clock,
      onJoin: (partitions) => this.#assign(partitions),
      onDead: (error) => this.#rejoin(groupId, error),
    })
  }

  /** Replaces a membership that ended or fell silent; nothing is read until the new one has joined. */
  #rejoin(groupId: string, cause: Error): void {
    if (this.state === 'stopped') return
    this.rebuilds += 1
    const { rebuilds } = this
    const pauseMs = backoffMs(this.#rebuildsInRow, REBUILD)
    this.#o.log.warn({ err: cause, groupId, rebuilds, pauseMs }, 'the consumer group is joined again')
    this.#ending = Promise.all([this.#ending, this.#retire()])
    this.#leaving = Promise.all([this.#leaving, this.#group?.close(LEAVE_MS)])
    this.#group = undefined
    this.#joining = setTimeout(() => this.#join(groupId), pauseMs)
    this.#rebuildsInRow += 1
  }

  #assign(partitions: readonly number[]): void {
    if (this.state === 'stopped') return
    const reader = this.#o
    reader.log.debug({ groupId: reader.groupId, partitions }, 'partitions are assigned')
    const handlersEnded = Promise.all([this.#ending, this.#retire()])
    this.#ending = handlersEnded
    const locator = new Locator(reader)
    const shared = {
      reader,
      locator,
      fetcher: this.#fetcher,
      after: handlersEnded,
      onFailed: () => {
        this.failedBatches += 1
      },
      onInterrupted: (partition: number, error: unknown) => this.#noteInterruption(partition, error),
      onWrongLog: (error: Error) => this.#fail(error),
    }
    this.#readers = new Map(
      partitions
        .toSorted((a, b) => a - b)
        .map((partition) => [partition, new PartitionReader({ ...shared, partition })]),
    )
    void this.#positioned(partitions.length === 0 ? Promise.resolve() : locator.located)
  }

  async #positioned(located: Promise<void>): Promise<void> {
    await located
    if (this.state === 'starting') this.state = 'running'
    this.#rebuildsInRow = 0
  }

  /** Ends the present assignment; resolves when its last handler has ended. */
  async #retire(): Promise<void> {
    const readers = [...this.#readers.values()]
    this.#readers = new Map()
    this.#committed.clear()
    await Promise.all(readers.map((reader) => reader.stop()))
  }

  /** Partitions that fail together get the same error: it counts once. */
  #noteInterruption(partition: number, error: unknown): void {
    if (error === this.#lastError) return
    this.#lastError = error
    this.rebuilds += 1
    const { groupId, log } = this.#o
    log.warn({ err: error, groupId, rebuilds: this.rebuilds, partition }, 'reading of partitions starts again')
  }

  #fail(error: Error): void {
    if (this.state === 'stopped') return
    const detail = error instanceof Fault ? error.detail : {}
    this.#o.log.error({ err: error, groupId: this.#o.groupId, ...detail }, 'the log reader stops')
    this.#closing ??= this.#shutDown(error)
  }

  async #commit(): Promise<void> {
    const moved = new Map<number, number>()
    for (const [partition, { next }] of this.lag()) {
      if (this.#committed.get(partition) !== next) moved.set(partition, next)
      this.#committed.set(partition, next)
    }
    await this.#group?.commit(moved)
  }

  async #shutDown(failure?: Error): Promise<void> {
    this.state = 'stopped'
    clearInterval(this.#committing)
    clearTimeout(this.#joining)
    const committed = withTimeout(this.#commit(), COMMIT_MS).catch(() => {})
    await Promise.all([this.#ending, this.#retire()])
    await committed
    await Promise.all([this.#cluster.close(), this.#group?.close(LEAVE_MS), this.#leaving])
    this.#stopped.resolve(failure)
  }
}
