import { backoffMs, sleep } from '@ariftly/async'
import { Fault, hasFaultCode, messageOf, type Logger } from '@ariftly/fault'
import { checkLog, type KafkaClient } from '@ariftly/kafka'
import type { Metrics } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { currentEpoch, type LogEpoch } from '@ariftly/store/projection'

/** The reading, or writing, of one epoch of the log. */
export interface EpochSession {
  /** Resolves when the session has ended: after `close`, or with the error that ended it. */
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
  /** Starts a session of an epoch whose log was found. A rejection is retried. */
  start(epoch: LogEpoch): Promise<S>
}

/** How often to check for a newer epoch, and whether a log that did not fit fits again. */
const CHECK_EVERY_MS = 2_000
const WRONG_LOG = ['log_identity_changed', 'partition_count_changed'] as const

/**
 * The policy of every service for a log that is not the current epoch's (another cluster, wiped, another number of
 * partitions): nothing is read or written, readiness, metric and log say so, and the service continues without a restart when
 * the log fits again or an operator has opened a new epoch. Unavailable backends are waited for too.
 */
export function followEpochs<S extends EpochSession>(o: FollowEpochsOptions<S>): LogFollower<S> {
  return new LogFollower(o)
}

/** Continues with the current epoch while it lasts. */
class LogFollower<S extends EpochSession> {
  readonly #o: FollowEpochsOptions<S>
  readonly #closing = new AbortController()
  #session: S | undefined
  #trouble: string | undefined = 'starting'
  /** Code of the fault while the log is not the one of the current epoch. */
  #wrongLog: string | undefined
  readonly #ended: Promise<void>

  constructor(o: FollowEpochsOptions<S>) {
    this.#o = o
    o.metrics.gauge({
      name: `${o.metricPrefix}_log_fault`,
      help: '1 while the log is not the one of the current epoch and is not used.',
      labels: ['code'],
      collect: (gauge) => {
        for (const code of WRONG_LOG) gauge.set({ code }, this.#wrongLog === code ? 1 : 0)
      },
    })
    this.#ended = this.#follow()
  }

  /** The session of the current epoch; undefined before the first, between two, and while the log is another one. */
  get session(): S | undefined {
    return this.#session
  }

  /** Why there is no session now; undefined while there is one. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Whether the topic or its cluster is not the one of the current epoch. */
  get isOtherLog(): boolean {
    return this.#wrongLog === 'log_identity_changed'
  }

  /** Ends the session. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#followOne(() => {
          failures = 0
        })
        if (!signal.aborted) this.#trouble = 'another epoch of the log begins'
      } catch (error) {
        if (signal.aborted) return
        this.#report(error)
        const isWrong = this.#wrongLog !== undefined
        await sleep(isWrong ? CHECK_EVERY_MS : backoffMs(failures, { maxMs: CHECK_EVERY_MS }), signal)
        failures += 1
      }
    }
  }

  /** The session of the current epoch, from its start to its end. */
  async #followOne(onStarted: () => void): Promise<void> {
    const { kafka, topic, partitions } = this.#o
    const epoch = await this.#findEpoch()
    await checkLog(kafka, { topic, partitionCount: partitions, identity: epoch }, this.#closing.signal)
    const started = await this.#o.start(epoch)
    this.#session = started
    this.#report(undefined)
    onStarted()
    const failure = await this.#untilOver(started, epoch)
    this.#session = undefined
    await started.close()
    if (failure !== undefined) throw failure
  }

  async #findEpoch(): Promise<LogEpoch> {
    const { pool, topic } = this.#o
    const epoch = await currentEpoch(pool, topic)
    if (epoch !== undefined) return epoch
    throw new Fault({ code: 'not_migrated', message: `No epoch of the log ${topic}: run migrate.`, retryable: true })
  }

  /** Resolves when the session has ended, there is a newer epoch, or the follower is closed. */
  async #untilOver({ stopped }: EpochSession, { epoch }: LogEpoch): Promise<Error | undefined> {
    const over = new AbortController()
    const until = AbortSignal.any([this.#closing.signal, over.signal])
    try {
      return await Promise.race([stopped, this.#newerEpoch(epoch, until)])
    } finally {
      over.abort()
    }
  }

  async #newerEpoch(epoch: number, until: AbortSignal): Promise<undefined> {
    const { pool, topic } = this.#o
    while (!until.aborted) {
      await sleep(CHECK_EVERY_MS, until)
      // While Postgres is unavailable the session continues; its users report that.
      const newest = until.aborted ? undefined : await currentEpoch(pool, topic).catch(() => undefined)
      if (newest !== undefined && newest.epoch > epoch) return undefined
    }
    return undefined
  }

  /** Notes why there is no session, undefined when there is one; logs it when it is not the same as before. */
  #report(error: unknown): void {
    const { log } = this.#o
    const before = { trouble: this.#trouble, wrongLog: this.#wrongLog }
    this.#trouble = error === undefined ? undefined : messageOf(error)
    const isWrong = hasFaultCode(error, ...WRONG_LOG)
    this.#wrongLog = isWrong ? error.code : undefined
    if (this.#trouble === before.trouble || this.#trouble === undefined) return
    if (isWrong && this.#wrongLog === before.wrongLog) return
    if (isWrong) log.error({ err: error, ...error.detail }, 'the log is not the one of the current epoch, waiting')
    else log.warn({ err: error }, 'the log cannot be used yet, waiting')
  }
}
