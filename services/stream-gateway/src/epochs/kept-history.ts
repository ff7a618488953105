import type { Pool } from '@ariftly/store'
import { readPositions } from '@ariftly/store/projection'
import { earliestLogTime, positionsAtLogTime } from '../history/positions-at-log-time.ts'
import { originOf, type OffsetVector } from '../log/offset-vector.ts'

interface KeptHistoryOptions {
  readonly pool: Pool
  /** For queries that must not wait for history pages: the projection's position. */
  readonly watchPool: Pool
  readonly epoch: number
  readonly topic: string
  readonly partitions: number
  /** How long history is kept, milliseconds. */
  readonly historyMs: () => number
}

const FLOOR_EVERY_MS = 60_000

/** What Postgres holds of an epoch: up to where it is projected, and from where on it is kept. */
export class KeptHistory {
  readonly #o: KeptHistoryOptions
  #floor: OffsetVector
  #floorAtMs = -Infinity

  constructor(o: KeptHistoryOptions) {
    this.#o = o
    this.#floor = originOf(o.partitions)
  }

  /** Where the kept history begins, as last looked up (every minute). */
  get floor(): OffsetVector {
    return this.#floor
  }

  /** The projection's position; looks up the floor too when that is due. */
  async readProjection(): Promise<OffsetVector> {
    const { watchPool, epoch, topic, partitions, historyMs } = this.#o
    const position = originOf(partitions)
    const read = await readPositions(watchPool, { projection: 'events', epoch, topic })
    for (const [partition, at] of read) position[partition] = at.nextOffset
    if (performance.now() - this.#floorAtMs >= FLOOR_EVERY_MS) {
      this.#floor = await this.positionAt(Date.now() - historyMs(), watchPool)
      this.#floorAtMs = performance.now()
    }
    return position
  }

  /** From where on everything appended at or after a moment follows. */
  async positionAt(atMs: number, db: Pool = this.#o.pool): Promise<OffsetVector> {
    const { epoch, partitions } = this.#o
    const position = originOf(partitions)
    const found = await positionsAtLogTime(db, { epoch, partitions, atMs })
    for (const [partition, offset] of found) position[partition] = offset
    return position
  }

  /** When the oldest event that is kept was appended; undefined when there is none. */
  earliestMs(): Promise<number | undefined> {
    const { pool, epoch, partitions, historyMs } = this.#o
    return earliestLogTime(pool, { epoch, partitions, sinceMs: Date.now() - historyMs() })
  }
}
