import { createAssignment, type Assignment } from './assignment.ts'
import { describeLog } from './describe-log.ts'
import { startFetchPump, type FetchPump } from './fetch-pump.ts'
import { KafkaFault } from './kafka-fault.ts'
import type { LogReaderOptions, PartitionLag } from './log-reader-options.ts'
import { createSlots } from './slots.ts'
import { within } from './within.ts'

export interface LogReader {
  /** Leaves the group and waits for running handlers (their signal is aborted). */
  close(): Promise<void>
  /** `starting` until the first assignment is positioned; `stopped` after a close or a `failure`. */
  readonly state: 'starting' | 'running' | 'stopped'
  /** The partitions that this process reads now, in order. */
  assigned(): readonly number[]
  /** How far each assigned partition is read, as last seen. */
  lag(): ReadonlyMap<number, PartitionLag>
  /** How many times the consumer was rebuilt, after a crash or by the watchdog. */
  readonly rebuilds: number
  /** How many times a batch could not be decoded or its handler threw, so that it was tried again. */
  readonly failedBatches: number
  /** Why the reader stopped by itself: `log_identity_changed` or `partition_count_changed`. */
  readonly failure: Error | undefined
  /** Resolves when the reader has stopped: after a close, or a failure. */
  readonly stopped: Promise<void>
}

const SESSION_TIMEOUT_MS = 10_000
const MAX_WAIT_MS = 200
const BYTES_PER_PARTITION_MAX = 2 * 1024 * 1024
const STALL_MS = 30_000
const COMMIT_EVERY_MS = 5_000
/** How long a last commit for tools may take. */
const COMMIT_MS = 1_000
const PUMP_CLOSE_MS = 3_000
const REBUILD_MS = 100
const REBUILD_MS_MAX = 2_000

/**
 * Starts a reader of the log in a consumer group. It goes on for ever: a broker that is away is waited for, a consumer that
 * ended or fell silent is rebuilt. It stops by itself only with `failure`.
 *
 * Handlers of different partitions run at the same time, those of one partition one after another. Each is called with an
 * unbroken run of offsets that begins at the stored position. The group only shares partitions out: what was handled is
 * known from `positions` alone, so offsets that the broker forgot or kafkajs reset do no harm.
 */
export function startLogReader(o: LogReaderOptions): LogReader {
  const { now = Date.now, log, stallMs = STALL_MS } = o
  const slots = createSlots(o.concurrency ?? Number.POSITIVE_INFINITY)
  let state: LogReader['state'] = 'starting'
  let failure: Error | undefined
  let rebuilds = 0
  let failedBatches = 0
  let rebuildPauseMs = REBUILD_MS
  let rebuildTimer: NodeJS.Timeout | undefined
  let pump: FetchPump | undefined
  let assignment: Assignment | undefined
  /** Of the handlers of former assignments. */
  let ending: Promise<void> = Promise.resolve()
  /** Of former consumers. */
  let leaving: Promise<void> = Promise.resolve()
  const { promise: stopped, resolve: tellStopped } = deferred()

  function groupOf(consumer: number): string {
    return o.deleteGroupOnClose === true ? `${o.groupId}-${consumer}` : o.groupId
  }

  function build(): void {
    const mine: FetchPump = startFetchPump({
      client: o.client,
      topic: o.topic,
      groupId: groupOf(rebuilds),
      sessionTimeoutMs: o.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      maxBytesPerPartition: o.maxBytesPerPartition ?? BYTES_PER_PARTITION_MAX,
      maxWaitTimeMs: o.maxWaitTimeMs ?? MAX_WAIT_MS,
      now,
      onJoin: (partitions) => assign(mine, partitions),
      onFetched: (partition, fetchedFrom, fetched) => assignment?.onFetched(partition, fetchedFrom, fetched) ?? null,
      onDead: (error) => rebuild(mine, error),
    })
    pump = mine
  }

  function assign(from: FetchPump, partitions: readonly number[]): void {
    if (from !== pump || state === 'stopped') return
    const before = retire()
    assignment = createAssignment({
      reader: o,
      pump: from,
      partitions,
      before,
      withSlot: slots.run,
      onBatchFailed() {
        failedBatches += 1
      },
      onPositioned() {
        if (state === 'starting') state = 'running'
        rebuildPauseMs = REBUILD_MS
      },
      onFailure: fail,
    })
  }

  /** Ends the present assignment; the promise is of its last handler. */
  function retire(): Promise<void> {
    const handlersEnded = assignment?.stop() ?? Promise.resolve()
    assignment = undefined
    ending = bothOf(ending, handlersEnded)
    return ending
  }

  function rebuild(dead: FetchPump, error: Error): void {
    if (dead !== pump || state === 'stopped') return
    rebuilds += 1
    log.warn({ err: error, groupId: o.groupId, rebuilds, pauseMs: rebuildPauseMs }, 'the consumer is rebuilt')
    void retire()
    leaving = bothOf(leaving, dead.close(PUMP_CLOSE_MS))
    pump = undefined
    rebuildTimer = setTimeout(build, rebuildPauseMs)
    rebuildPauseMs = Math.min(2 * rebuildPauseMs, REBUILD_MS_MAX)
  }

  /** A consumer that neither fetches nor crashes, while the broker does answer us, has stopped silently. */
  async function watch(): Promise<void> {
    const watched = pump
    if (watched === undefined || now() - watched.lastActivityMs < stallMs) return
    await describeLog(o.client, o.topic)
    if (watched === pump && now() - watched.lastActivityMs >= stallMs) {
      rebuild(watched, new Error(`no fetch has ended for ${stallMs} ms`))
    }
  }

  function fail(error: Error): void {
    if (state === 'stopped') return
    failure = error
    const detail = error instanceof KafkaFault ? error.detail : {}
    log.error({ err: error, groupId: o.groupId, ...detail }, 'the log reader stops')
    if (error instanceof KafkaFault && error.code === 'log_identity_changed') o.onIdentityChanged?.(detail)
    void close()
  }

  async function commit(): Promise<void> {
    if (o.deleteGroupOnClose !== true && assignment) await pump?.commit(assignment.uncommitted())
  }

  let closed: Promise<void> | undefined
  function close(): Promise<void> {
    closed ??= shutDown()
    return closed
  }

  async function shutDown(): Promise<void> {
    state = 'stopped'
    clearInterval(watchTimer)
    clearInterval(commitTimer)
    clearTimeout(rebuildTimer)
    const last = pump
    const committed = within(commit(), COMMIT_MS).catch(() => {})
    await retire()
    await committed
    pump = undefined
    await Promise.all([last?.close(PUMP_CLOSE_MS), leaving])
    if (o.deleteGroupOnClose === true) await deleteGroup(o, groupOf(rebuilds))
    tellStopped()
  }

  const watchTimer = setInterval(() => void watch().catch(() => {}), Math.max(100, Math.min(1_000, stallMs / 4)))
  const commitTimer = setInterval(() => void commit(), COMMIT_EVERY_MS)
  build()

  return {
    close,
    get state() {
      return state
    },
    assigned: () => assignment?.partitions ?? [],
    lag: () => assignment?.lag() ?? new Map(),
    get rebuilds() {
      return rebuilds
    },
    get failedBatches() {
      return failedBatches
    },
    get failure() {
      return failure
    },
    stopped,
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const resolvers: (() => void)[] = []
  const promise = new Promise<void>((resolve) => resolvers.push(resolve))
  return { promise, resolve: () => resolvers.forEach((resolve) => resolve()) }
}

async function bothOf(first: Promise<void>, second: Promise<void>): Promise<void> {
  await Promise.all([first, second])
}

async function deleteGroup({ client, log }: LogReaderOptions, groupId: string): Promise<void> {
  try {
    await client.withAdmin((admin) => admin.deleteGroups([groupId]))
  } catch (error) {
    log.debug({ err: error, groupId }, 'the consumer group was not deleted; the broker expires it')
  }
}
