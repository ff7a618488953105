import { backoffMs, inSlices, type Poll, startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import { cancelOrphanedDeliveries } from './cancel-orphaned-deliveries.ts'
import { forgetWorker, listDeadWorkers } from './worker-heartbeat.ts'
import { releaseDeliveriesOf, releaseExpiredLeases, type ReleasedDeliveries } from './release-deliveries.ts'

/** Dependencies of the sweeper. */
export interface SweeperOptions {
  readonly db: Queryable
  readonly everyMs: number
  /** A worker without a heartbeat for this long is dead. */
  readonly deadMs: number
  /** Whether this worker may declare another one dead now. */
  readonly mayRelease: () => boolean
  /** Called with the webhooks whose deliveries are due again. */
  readonly onReleased: (webhookIds: Iterable<string>, deliveries: number) => void
  readonly log: Pick<Logger, 'info' | 'warn'>
}

const ROWS_PER_STATEMENT = 1000
/** Each sweep checks webhooks that were deleted in the last minutes, and one in so many checks all of them. */
const DELETED_LATELY_MS = 600_000
const ALL_ORPHANS_EVERY = 30

/**
 * Starts to take back deliveries whose worker is dead or whose lease has expired. It asks Postgres alone, never Redis: the delivery
 * continues under a new attempt number, and a job that still exists for the old one is dropped. Any number of processes may run one.
 */
export function startSweeper(o: SweeperOptions): Poll {
  const { db } = o
  let sweeps = 0

  async function sweep(signal: AbortSignal): Promise<void> {
    if (o.mayRelease()) await releaseDead(signal)
    await releaseAll('leases have expired', (limit) => releaseExpiredLeases(db, { limit }), signal)
    const within = sweeps++ % ALL_ORPHANS_EVERY === 0 ? {} : { deletedWithinMs: DELETED_LATELY_MS }
    await inSlices(() => cancelOrphanedDeliveries(db, { limit: ROWS_PER_STATEMENT, ...within }), signal)
  }

  async function releaseDead(signal: AbortSignal): Promise<void> {
    const workers = await listDeadWorkers(db, { deadMs: o.deadMs })
    if (workers.length === 0) return
    await releaseAll('workers are dead', (limit) => releaseDeliveriesOf(db, { workers, limit }), signal)
    // Those of which something is left are found again.
    if (!signal.aborted) for (const id of workers) await forgetWorker(db, { id })
  }

  async function releaseAll(
    why: string,
    release: (limit: number) => Promise<ReleasedDeliveries>,
    signal: AbortSignal,
  ): Promise<void> {
    await inSlices(async () => {
      const released = await release(ROWS_PER_STATEMENT)
      const deliveries = [...released.values()].reduce((sum, count) => sum + count, 0)
      if (deliveries === 0) return 0
      o.log.info({ deliveries, webhooks: released.size }, `${why}, their deliveries are due again`)
      o.onReleased(released.keys(), deliveries)
      return deliveries
    }, signal)
  }

  return startPoll({
    step: sweep,
    everyMs: o.everyMs,
    retryMs: (failures) => backoffMs(failures, { baseMs: 200 }),
    log: o.log,
    failing: 'deliveries of dead workers cannot be taken back',
  })
}
