import { deferred, sleep, type Deferred } from '@ariftly/async'
import { hasFaultCode, type Fault } from '@ariftly/fault'
import {
  describeAvailable,
  partitionCountFault,
  type LogPartition,
  type PartialLogDescription,
} from './describe-log.ts'
import { kafkaFault } from './kafka-fault.ts'
import { identityFault, isSameLog, logChanged } from './log-identity.ts'
import type { LogReaderOptions, Position } from './log-reader-options.ts'

/** Where the reading of a partition begins, in the log as it is now. */
export interface Located {
  readonly partition: number
  readonly position: Position
  readonly bounds: LogPartition
}

/** One reading of positions and log. */
interface Look {
  readonly described: PartialLogDescription
  readonly positions: ReadonlyMap<number, Position>
}

const RETRY_MS = 100
const RETRY_MS_MAX = 500
/** How long after the first sight of a log that does not fit it is looked at again. */
const SECOND_LOOK_MS = 1_000

/** Whether a fault says that the log is not the one that was read: only a person can mend it, or its return. */
export function isWrongLog(error: unknown): error is Fault {
  return hasFaultCode(error, 'log_identity_changed', 'partition_count_changed')
}

/**
 * Finds out where reading begins: reads the stored positions, then where the log begins and ends, for all partitions that
 * want to know at once. In that order, as what is read later of the log is at least as far as the positions were. A log
 * that does not fit is believed at the second look a second later. A partition without a leader is waited for by itself.
 */
export class Locator {
  readonly #reader: LogReaderOptions
  readonly #wanted = new Map<number, Deferred<Located | undefined>>()
  readonly #looked = deferred()
  #isLooking = false
  #unavailable = ''

  constructor(reader: LogReaderOptions) {
    this.#reader = reader
  }

  /** Resolves when all partitions that were wanted at first have a place, or are known to be unavailable. */
  get looked(): Promise<void> {
    return this.#looked.promise
  }

  /**
   * Where reading begins in a partition; undefined when it has no position (which is logged), or after the signal. Waits for
   * backends that are away. Rejects with `log_identity_changed` or `partition_count_changed`.
   */
  async locate(partition: number, signal: AbortSignal): Promise<Located | undefined> {
    if (signal.aborted) return undefined
    const wanted = deferred<Located | undefined>()
    const giveUp = (): void => {
      if (this.#wanted.get(partition) === wanted) this.#wanted.delete(partition)
      wanted.resolve(undefined)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    this.#wanted.set(partition, wanted)
    if (!this.#isLooking) {
      this.#isLooking = true
      setImmediate(() => void this.#lookForAll())
    }
    try {
      return await wanted.promise
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  async #lookForAll(): Promise<void> {
    for (let pauseMs = RETRY_MS; this.#wanted.size > 0; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        this.#settle(await this.#look([...this.#wanted.keys()]))
        this.#looked.resolve()
      } catch (error) {
        if (isWrongLog(error)) {
          for (const wanted of this.#wanted.values()) wanted.reject(error)
          this.#wanted.clear()
          break
        }
        this.#reader.log.warn({ err: error, groupId: this.#reader.groupId, pauseMs }, 'positions could not be read yet')
      }
      if (this.#wanted.size > 0) await sleep(pauseMs)
    }
    this.#isLooking = false
  }

  /** Looks once, and a second time if the log does not fit. */
  async #look(partitions: readonly number[]): Promise<Look> {
    const first = await this.#lookOnce(partitions)
    const firstProblem = this.#problemOf(first)
    if (firstProblem === undefined && !isAnyLost(first)) return first
    await sleep(SECOND_LOOK_MS)
    const second = await this.#lookOnce(partitions)
    const problem = this.#problemOf(second)
    if (problem === undefined) return second
    if (firstProblem !== undefined && isSameLog(first.described, second.described)) throw problem
    throw kafkaFault('kafka_unavailable', `The log is another one at each look: ${problem.message}`)
  }

  async #lookOnce(partitions: readonly number[]): Promise<Look> {
    const positions = await this.#reader.positions(partitions)
    const described = await describeAvailable(this.#reader.client, this.#reader.topic, partitions)
    return { positions, described }
  }

  #problemOf({ described, positions }: Look): Fault | undefined {
    const { identity, partitionCount, topic } = this.#reader
    if (!isSameLog(identity, described)) return identityFault(topic, identity, described)
    if (described.partitionCount !== partitionCount) {
      return partitionCountFault(topic, partitionCount, described.partitionCount)
    }
    for (const { partition, logEnd } of described.partitions) {
      const nextOffset = positions.get(partition)?.nextOffset ?? 0
      if (nextOffset <= logEnd) continue
      return logChanged('The log ends before the stored position.', { partition, nextOffset, logEnd })
    }
    return undefined
  }

  #settle({ described, positions }: Look): void {
    const { log, groupId } = this.#reader
    for (const bounds of described.partitions) {
      const { partition } = bounds
      const position = positions.get(partition)
      if (position === undefined) log.error({ groupId, partition }, 'a partition has no position and is not read')
      this.#wanted.get(partition)?.resolve(position && { partition, position, bounds })
      this.#wanted.delete(partition)
    }
    const unavailable = [...described.unavailable.keys()].join()
    if (unavailable !== this.#unavailable && unavailable !== '') {
      const reasons = Array.from(described.unavailable, ([partition, { message }]) => ({ partition, message }))
      log.warn({ groupId, unavailable: reasons }, 'partitions are unavailable and waited for')
    }
    this.#unavailable = unavailable
  }
}

/** Whether the log no longer has a position. */
function isAnyLost({ described, positions }: Look): boolean {
  return described.partitions.some(({ partition, logStart }) => {
    const position = positions.get(partition)
    return position !== undefined && position.nextOffset < logStart
  })
}
