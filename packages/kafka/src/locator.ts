import { deferred, sleep, type Deferred } from '@ariftly/async'
import type { Fault } from '@ariftly/fault'
import { lookTwice } from './check-log.ts'
import { describeAvailable, type LogPartition, type PartialLogDescription } from './describe-log.ts'
import { isWrongLog, logChanged, logFault } from './log-identity.ts'
import type { LogReaderOptions, Position } from './log-reader-options.ts'

/** Where the reading of a partition begins, in the log as it is now. */
export interface Located {
  readonly partition: number
  readonly position: Position
  readonly bounds: LogPartition
}

/** One reading of positions and log. */
interface Look extends PartialLogDescription {
  readonly positions: ReadonlyMap<number, Position>
}

const RETRY_MS = 100
const RETRY_MS_MAX = 500

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

  async #look(partitions: readonly number[]): Promise<Look> {
    const { client, topic } = this.#reader
    return await lookTwice({
      look: async () => {
        const positions = await this.#reader.positions(partitions)
        return { ...(await describeAvailable(client, topic, partitions)), positions }
      },
      faultOf: (look) => logFault(this.#reader, look) ?? endFault(look),
      isDoubtful: isAnyLost,
    })
  }

  #settle({ partitions, unavailable, positions }: Look): void {
    const { log, groupId } = this.#reader
    for (const bounds of partitions) {
      const { partition } = bounds
      const position = positions.get(partition)
      if (position === undefined) log.error({ groupId, partition }, 'a partition has no position and is not read')
      this.#wanted.get(partition)?.resolve(position && { partition, position, bounds })
      this.#wanted.delete(partition)
    }
    const names = [...unavailable.keys()].join()
    if (names !== this.#unavailable && names !== '') {
      const reasons = Array.from(unavailable, ([partition, { message }]) => ({ partition, message }))
      log.warn({ groupId, unavailable: reasons }, 'partitions are unavailable and waited for')
    }
    this.#unavailable = names
  }
}

/** The fault of a log that ends before a position. */
function endFault({ partitions, positions }: Look): Fault | undefined {
  for (const { partition, logEnd } of partitions) {
    const nextOffset = positions.get(partition)?.nextOffset ?? 0
    if (nextOffset <= logEnd) continue
    return logChanged('The log ends before the stored position.', { partition, nextOffset, logEnd })
  }
  return undefined
}

/** Whether the log no longer has a position. */
function isAnyLost({ partitions, positions }: Look): boolean {
  return partitions.some(({ partition, logStart }) => {
    const position = positions.get(partition)
    return position !== undefined && position.nextOffset < logStart
  })
}
