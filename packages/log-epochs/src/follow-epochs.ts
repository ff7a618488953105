import { backoffMs, sleep } from '@ariftly/async'
import { Fault, hasFaultCode, messageOf, type Logger } from '@ariftly/fault'
import { checkLog, type KafkaClient } from '@ariftly/kafka'
import type { Metrics } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { currentEpoch, type LogEpoch } from '@ariftly/store/projection'

/** The reading, or writing, of one epoch of the log. */
export interface EpochSession {
  /** Resolves when it has ended: after `close`, or with why it ended by itself. */
  readonly stopped: Promise<Error | undefined>
  close(): Promise<void>
}

/** Which log to follow, and what to do with it. */
export interface FollowEpochsOptions<S extends EpochSession = EpochSession> {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly topic: string
  readonly partitions: number
  readonly log: Logger
  readonly metrics: Metrics
  /** Prefix of the metric `<prefix>_log_fault`. */
  readonly metricPrefix: string
  /** Begins with an epoch whose log has been found. What it rejects with is tried again. */
  start(epoch: LogEpoch): Promise<S>
}

/** Continues with the current epoch while it lasts. */
export interface LogFollower<S extends EpochSession = EpochSession> {
  /** That of the current epoch; undefined before the first one, between two, and while the log is another one. */
  readonly session: S | undefined
  /** Why there is no session now; undefined while there is one. */
  readonly trouble: string | undefined
  /** Ends the session. */
  close(): Promise<void>
}

/** How often it is looked whether an operator has opened another epoch, and whether a log that did not fit fits again. */
const LOOK_EVERY_MS = 2_000
const WRONG_LOG = ['log_identity_changed', 'partition_count_changed'] as const

/**
 * One policy for a log that is not the one of the current epoch (another cluster, wiped, another number of partitions), in
 * every service: nothing is read or written, readiness, metric and log say so, and the service continues by itself when the
 * log fits again, or when an operator has opened a new epoch. Backends that are away are waited for too.
 */
export function followEpochs<S extends EpochSession>(o: FollowEpochsOptions<S>): LogFollower<S> {
  const closing = new AbortController()
  const { signal } = closing
  let session: S | undefined
  let trouble: string | undefined = 'starting'
  let wrongLog: string | undefined

  async function follow(): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const epoch = await findEpoch()
        await checkLog(o.kafka, { topic: o.topic, partitionCount: o.partitions, identity: epoch }, signal)
        const started = await o.start(epoch)
        session = started
        tell(undefined)
        failures = 0
        const failure = await untilOver(started, epoch)
        session = undefined
        await started.close()
        if (failure !== undefined) throw failure
        if (!signal.aborted) trouble = 'another epoch of the log begins'
      } catch (error) {
        if (signal.aborted) return
        tell(error)
        await sleep(wrongLog === undefined ? backoffMs(failures, { maxMs: LOOK_EVERY_MS }) : LOOK_EVERY_MS, signal)
        failures += 1
      }
    }
  }

  async function findEpoch(): Promise<LogEpoch> {
    const epoch = await currentEpoch(o.pool, o.topic)
    if (epoch !== undefined) return epoch
    throw new Fault({ code: 'not_migrated', message: `No epoch of the log ${o.topic}: run migrate.`, retryable: true })
  }

  /** Until the session has ended by itself, a newer epoch is there, or the follower is closed. */
  async function untilOver({ stopped }: EpochSession, { epoch }: LogEpoch): Promise<Error | undefined> {
    const over = new AbortController()
    const until = AbortSignal.any([signal, over.signal])
    try {
      return await Promise.race([stopped, newerEpoch(epoch, until)])
    } finally {
      over.abort()
    }
  }

  async function newerEpoch(epoch: number, until: AbortSignal): Promise<undefined> {
    while (!until.aborted) {
      await sleep(LOOK_EVERY_MS, until)
      // Whatever needs Postgres reports that it is away; the session continues.
      const newest = until.aborted ? undefined : await currentEpoch(o.pool, o.topic).catch(() => undefined)
      if (newest !== undefined && newest.epoch > epoch) return undefined
    }
    return undefined
  }

  function tell(error: unknown): void {
    const before = { trouble, wrongLog }
    trouble = error === undefined ? undefined : messageOf(error)
    const isWrong = hasFaultCode(error, ...WRONG_LOG)
    wrongLog = isWrong ? error.code : undefined
    if (trouble === before.trouble || trouble === undefined || (isWrong && wrongLog === before.wrongLog)) return
    if (isWrong) o.log.error({ err: error, ...error.detail }, 'the log is not the one of the current epoch, waiting')
    else o.log.warn({ err: error }, 'the log cannot be used yet, waiting')
  }

  o.metrics.gauge({
    name: `${o.metricPrefix}_log_fault`,
    help: '1 while the log is another one than that of the current epoch, so that it is not used.',
    labels: ['code'],
    collect: (gauge) => {
      for (const code of WRONG_LOG) gauge.set({ code }, wrongLog === code ? 1 : 0)
    },
  })
  const ended = follow()

  return {
    get session() {
      return session
    },
    get trouble() {
      return trouble
    },
    async close() {
      closing.abort()
      await ended
    },
  }
}
