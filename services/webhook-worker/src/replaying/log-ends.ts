import { sleep } from '@ariftly/async'

/** A partition of an epoch of the log. */
export interface LogPlace {
  readonly epoch: number
  readonly partition: number
}

interface LogEnd extends LogPlace {
  readonly offset: number
}

/** More are forgotten, and asked for again: replays that other workers have ended are not taken out. */
const REPLAYS_MAX = 1000
/** How long an answer of Kafka is waited for: the replays of others are held up for as long. */
const WAIT_MS = 250

/**
 * Where the log ends in the partition that a replay has reached. What was appended before a replay was made is below that end, whenever it is read:
 * each partition is asked about once. Kafka is not asked within a transaction, and never about another partition: one without a leader holds up only
 * the replays that have reached it.
 */
export class LogEnds {
  readonly #read: (partition: number) => Promise<number>
  readonly #known = new Map<string, LogEnd>()
  readonly #asking = new Map<string, Promise<void>>()

  /** `read` asks Kafka which offset the next record of a partition will get. */
  constructor(read: (partition: number) => Promise<number>) {
    this.#read = read
  }

  /** Undefined while it is not known. */
  of(replayId: string, { epoch, partition }: LogPlace): number | undefined {
    const known = this.#known.get(replayId)
    return known?.epoch === epoch && known.partition === partition ? known.offset : undefined
  }

  /**
   * Resolves when the end is known, and when there is no answer yet: a later call waits for the same answer. Rejects when Kafka cannot be asked
   * about the partition. One call for each replay at a time.
   */
  async ask(replayId: string, place: LogPlace): Promise<void> {
    const asking = this.#asking.get(replayId) ?? this.#start(replayId, place)
    try {
      await Promise.race([asking, sleep(WAIT_MS)])
    } catch (error) {
      this.#asking.delete(replayId)
      throw error
    }
  }

  /** After the replay has ended. */
  forget(replayId: string): void {
    this.#known.delete(replayId)
    this.#asking.delete(replayId)
  }

  #start(replayId: string, { epoch, partition }: LogPlace): Promise<void> {
    if (this.#known.size >= REPLAYS_MAX) this.#known.clear()
    const asking = this.#read(partition).then((offset) => {
      this.#known.set(replayId, { epoch, partition, offset })
      this.#asking.delete(replayId)
      return undefined
    })
    // Without a call that waits for it, a failure is that of the next call.
    asking.catch(() => {})
    this.#asking.set(replayId, asking)
    return asking
  }
}
