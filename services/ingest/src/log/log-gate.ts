import { deferred, sleep } from '@ariftly/async'
import { checkLog, isWrongLog, type KafkaClient, type LogIdentity } from '@ariftly/kafka'
import { followEpochs, type EpochSession } from '@ariftly/log-epochs'
import type { Logger, Metrics } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import type { LogEpoch } from '@ariftly/store/projection'

/** Whether events may be written: the topic is the one of the current epoch. */
export interface LogGate {
  readonly isOpen: boolean
  /**
   * The log of the epoch for which it opened last; undefined before. It stays while the gate is shut, as sends that began
   * before may still be tried again.
   */
  readonly identity: LogIdentity | undefined
  /** Whether it is shut as the topic is that of another log, and not because a backend is unavailable. */
  readonly isOtherLog: boolean
  /** Why it is shut. */
  readonly trouble: string | undefined
  /** Resolves when it opens for the first time. */
  readonly opened: Promise<void>
  close(): Promise<void>
}

interface LogGateOptions {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly topic: string
  readonly partitions: number
  readonly log: Logger
  readonly metrics: Metrics
}

/** How often the topic's identity is checked; each new connection is checked as well. */
const CHECK_EVERY_MS = 2_000

/**
 * Open while the topic is the current epoch's and has its fixed number of partitions: an event in another log would be
 * acknowledged and never seen, and one in the wrong partition would be a dead letter. Waits for Kafka and Postgres; once open,
 * it stays open while they are unavailable.
 */
export function createLogGate(o: LogGateOptions): LogGate {
  const opened = deferred()
  let isOpen = false
  let identity: LogIdentity | undefined

  async function start(current: LogEpoch): Promise<EpochSession> {
    const closing = new AbortController()
    identity = current
    isOpen = true
    opened.resolve()
    return {
      stopped: watch(current, closing.signal),
      async close() {
        isOpen = false
        closing.abort()
      },
    }
  }

  async function watch(current: LogEpoch, signal: AbortSignal): Promise<Error | undefined> {
    const expected = { topic: o.topic, partitionCount: o.partitions, identity: current }
    while (!signal.aborted) {
      await sleep(CHECK_EVERY_MS, signal)
      try {
        if (!signal.aborted) await checkLog(o.kafka, expected, signal)
      } catch (error) {
        if (isWrongLog(error)) return error
        // The breaker handles an unavailable Kafka.
      }
    }
    return undefined
  }

  const follower = followEpochs({ ...o, metricPrefix: 'ariftly_ingest', start })
  return {
    get isOpen() {
      return isOpen
    },
    get identity() {
      return identity
    },
    get isOtherLog() {
      return !isOpen && follower.isOtherLog
    },
    get trouble() {
      return follower.trouble
    },
    opened: opened.promise,
    close: () => follower.close(),
  }
}
