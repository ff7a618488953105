import { backoffMs } from '@ariftly/async'
import { startPoll, type Poll } from '@ariftly/fairness'
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
  readonly #poll: Poll
  #closed = false
  #sweeps = 0

  constructor(o: SweeperOptions) {
    this.#o = o
    this.#poll = startPoll({
      step: () => this.#sweep(),
      everyMs: o.everyMs,
      retryMs: (failures) => backoffMs(failures, { baseMs: 200 }),
      log: o.log,
      failing: 'deliveries of dead workers cannot be taken back',
    })
  }

  /** Resolves when the sweep that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#poll.close()
  }

  async #sweep(): Promise<void> {
    await this.#releaseDead()
    await this.#releaseAll('leases have expired', (limit) => releaseExpiredLeases(this.#o.db, { limit }))
    await this.#cancelOrphans()
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
