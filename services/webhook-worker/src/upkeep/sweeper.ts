import { backoffMs } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import {
  cancelOrphanedDeliveries,
  forgetWorker,
  listDeadWorkers,
  releaseDeliveriesOf,
  releaseExpiredLeases,
  type ReleasedDeliveries,
} from '@ariftly/store/deliveries'

/** What the sweeper needs. */
export interface SweeperOptions {
  readonly db: Queryable
  readonly everyMs: number
  /** A worker without a heartbeat for so long is dead. */
  readonly deadMs: number
  /** Whether this worker may declare another one dead now. */
  readonly mayJudge: () => boolean
  /** Called with the webhooks whose deliveries are due again. */
  readonly onReleased: (webhookIds: Iterable<string>, deliveries: number) => void
  readonly log: Pick<Logger, 'info' | 'warn'>
}

const ROWS_PER_STATEMENT = 1000
/** Each sweep looks at webhooks that were deleted in the last minutes, and one in so many at all of them. */
const DELETED_LATELY_MS = 600_000
const ALL_ORPHANS_EVERY = 30

/**
 * Takes back deliveries whose worker is dead or whose lease has expired. It asks Postgres alone, never Redis: whatever became
 * of a job, its delivery continues under a new attempt number. Any number of processes may run one.
 */
export class Sweeper {
  readonly #o: SweeperOptions
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #failures = 0
  #sweeps = 0
  #sweeping = Promise.resolve()

  constructor(o: SweeperOptions) {
    this.#o = o
    this.#plan(o.everyMs)
  }

  /** Resolves when the sweep that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  #plan(ms: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweep()
    }, ms)
  }

  async #sweep(): Promise<void> {
    try {
      await this.#releaseDead()
      await this.#releaseAll('leases have expired', (limit) => releaseExpiredLeases(this.#o.db, { limit }))
      await this.#cancelOrphans()
      this.#failures = 0
      this.#plan(this.#o.everyMs)
    } catch (error) {
      this.#o.log.warn({ err: error }, 'sweeping failed')
      this.#plan(backoffMs(this.#failures++, { baseMs: 200 }))
    }
  }

  async #releaseDead(): Promise<void> {
    if (!this.#o.mayJudge()) return
    const { db, deadMs } = this.#o
    const workers = await listDeadWorkers(db, { deadMs })
    if (workers.length === 0) return
    await this.#releaseAll('workers are dead', (limit) => releaseDeliveriesOf(db, { workers, limit }))
    for (const id of workers) await forgetWorker(db, { id })
  }

  async #releaseAll(why: string, release: (limit: number) => Promise<ReleasedDeliveries>): Promise<void> {
    for (let last = ROWS_PER_STATEMENT; last >= ROWS_PER_STATEMENT && !this.#closed;) {
      const released = await release(ROWS_PER_STATEMENT)
      last = 0
      for (const count of released.values()) last += count
      if (last === 0) return
      this.#o.log.info({ deliveries: last, webhooks: released.size }, `${why}, their deliveries are due again`)
      this.#o.onReleased(released.keys(), last)
    }
  }

  async #cancelOrphans(): Promise<void> {
    const within = this.#sweeps++ % ALL_ORPHANS_EVERY === 0 ? {} : { deletedWithinMs: DELETED_LATELY_MS }
    for (let last = ROWS_PER_STATEMENT; last >= ROWS_PER_STATEMENT && !this.#closed;) {
      last = await cancelOrphanedDeliveries(this.#o.db, { limit: ROWS_PER_STATEMENT, ...within })
    }
  }
}
