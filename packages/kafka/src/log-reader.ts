import { deferred, withTimeout } from '@ariftly/async'
import { createAssignment, type Assignment } from './assignment.ts'
import { describeLog } from './describe-log.ts'
import { startFetchLoop, type FetchLoop } from './fetch-loop.ts'
import { joinGroup, type GroupMembership } from './group-membership.ts'
import { Fault } from '@ariftly/fault'
import type { LogReaderOptions, PartitionLag } from './log-reader-options.ts'
import { createSlots } from './slots.ts'

export interface LogReader {
  /** Leaves its group, if it is in one, and waits for running handlers (their signal is aborted). */
  close(): Promise<void>
  /** `starting` until the first assignment is positioned; `stopped` after a close or a `failure`. */
  readonly state: 'starting' | 'running' | 'stopped'
  /** The partitions that this process reads now, in order. */
  assigned(): readonly number[]
  /** How far each assigned partition is read, as last seen. */
  lag(): ReadonlyMap<number, PartitionLag>
  /** How many times reading began anew: a connection broke or a leader changed, a consumer ended, or the watchdog saw none of its doings. */
  readonly rebuilds: number
  /** How many times a batch could not be decoded or its handler threw, so that it was tried again. */
  readonly failedBatches: number
  /** Why the reader stopped by itself: `log_identity_changed` or `partition_count_changed`. */
  readonly failure: Error | undefined
  /** Resolves when the reader has stopped: after a close, or a failure. */
  readonly stopped: Promise<void>
}

/** Where records come from, and who says which. */
interface Source {
  readonly loop: FetchLoop
  readonly group?: GroupMembership
}

const SESSION_TIMEOUT_MS = 10_000
const BYTES_PER_PARTITION_MAX = 2 * 1024 * 1024
const STALL_MS = 30_000
const COMMIT_EVERY_MS = 5_000
/** How long a last commit for tools may take. */
const COMMIT_MS = 1_000
const LEAVE_MS = 3_000
const REBUILD_MS = 100
const REBUILD_MS_MAX = 2_000

/**
 * Starts a reader of the log: of the partitions that its consumer group gives it, or of all. It goes on for ever: a broker
 * that is away is waited for, what ended or fell silent is rebuilt. It stops by itself only with `failure`.
 *
 * Handlers of different partitions run at the same time, those of one partition one after another. Each is called with an
 * unbroken run of offsets that begins at the stored position. The group only shares partitions out: what was handled is
 * known from `positions` alone, so offsets that the broker forgot do no harm. Records are fetched by ourselves.
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
  let source: Source | undefined
  let assignment: Assignment | undefined
  /** Of the handlers of former assignments. */
  let ending: Promise<void> = Promise.resolve()
  /** Of former consumers. */
  let leaving: Promise<void> = Promise.resolve()
  const { promise: stopped, resolve: tellStopped } = deferred()

  function build(): void {
    const loop = startFetchLoop({
      client: o.client,
      topic: o.topic,
      bytesPerPartitionMax: o.maxBytesPerPartition ?? BYTES_PER_PARTITION_MAX,
      now,
      onFetched: (partition, fetchedFrom, fetched) => assignment?.onFetched(partition, fetchedFrom, fetched) ?? null,
      onInterrupted(partitions, error) {
        rebuilds += 1
        log.warn({ err: error, groupId: o.groupId, rebuilds, partitions }, 'partitions are read anew')
        assignment?.restart(partitions)
      },
    })
    if (o.groupId === undefined) {
      source = { loop }
      assign(
        source,
        Array.from({ length: o.partitionCount }, (_, partition) => partition),
      )
      return
    }
    const group = joinGroup({
      client: o.client,
      topic: o.topic,
      groupId: o.groupId,
      sessionTimeoutMs: o.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      now,
      onJoin: (partitions) => assign(mine, partitions),
      onRebalancing: () => loop.clear(),
      onDead: (error) => rebuild(mine, error),
    })
    const mine: Source = { loop, group }
    source = mine
  }

  function assign(from: Source, partitions: readonly number[]): void {
    if (from !== source || state === 'stopped') return
    from.loop.clear()
    const before = retire()
    assignment = createAssignment({
      reader: o,
      loop: from.loop,
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

  function rebuild(dead: Source, error: Error): void {
    if (dead !== source || state === 'stopped') return
    rebuilds += 1
    log.warn({ err: error, groupId: o.groupId, rebuilds, pauseMs: rebuildPauseMs }, 'the consumer is rebuilt')
    void retire()
    leaving = bothOf(leaving, closeSource(dead))
    source = undefined
    rebuildTimer = setTimeout(build, rebuildPauseMs)
    rebuildPauseMs = Math.min(2 * rebuildPauseMs, REBUILD_MS_MAX)
  }

  /** What neither ends a fetch nor crashes, while the broker does answer us, has stopped silently. */
  async function watch(): Promise<void> {
    const watched = source
    if (watched === undefined || silentMs(watched) < stallMs) return
    await describeLog(o.client, o.topic)
    if (watched === source && silentMs(watched) >= stallMs) {
      rebuild(watched, new Error(`no fetch has ended for ${stallMs} ms`))
    }
  }

  function silentMs({ loop, group }: Source): number {
    return now() - Math.min(loop.lastActivityMs, group?.lastActivityMs ?? Infinity)
  }

  function fail(error: Error): void {
    if (state === 'stopped') return
    failure = error
    const detail = error instanceof Fault ? error.detail : {}
    log.error({ err: error, groupId: o.groupId, ...detail }, 'the log reader stops')
    if (error instanceof Fault && error.code === 'log_identity_changed') o.onIdentityChanged?.(detail)
    void close()
  }

  async function commit(): Promise<void> {
    if (assignment) await source?.group?.commit(assignment.uncommitted())
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
    const last = source
    const committed = withTimeout(commit(), COMMIT_MS).catch(() => {})
    await retire()
    await committed
    source = undefined
    await Promise.all([last && closeSource(last), leaving])
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

async function bothOf(first: Promise<void>, second: Promise<void>): Promise<void> {
  await Promise.all([first, second])
}

async function closeSource({ loop, group }: Source): Promise<void> {
  await Promise.all([loop.close(), group?.close(LEAVE_MS)])
}
