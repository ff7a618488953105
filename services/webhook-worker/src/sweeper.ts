import { backoffMs, type Logger } from '@ariftly/runtime'
import { type Queryable } from '@ariftly/store'
import { cancelOrphanedDeliveries, releaseExpiredLeases } from '@ariftly/store/deliveries'

/** What the sweeper needs. */
export interface SweeperOptions {
  readonly db: Queryable
  readonly everyMs: number
  /** Told of the webhooks whose deliveries are due again. */
  readonly onReleased: (webhookIds: Iterable<string>, deliveries: number) => void
  readonly log: Pick<Logger, 'info' | 'warn'>
}

const ROWS_PER_STATEMENT = 1000
/** Each sweep looks at webhooks that were deleted in the last minutes, and one in so many at all of them. */
const DELETED_LATELY_MS = 600_000
const ALL_ORPHANS_EVERY = 30

/**
 * Starts what brings back deliveries whose lease has ended. It asks Postgres alone, never Redis: whatever became of a job,
 * its delivery goes on under a new attempt number. Any number of processes may run one.
 */
export function startSweeper(o: SweeperOptions): { readonly close: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let failures = 0
  let sweeps = 0
  let sweeping = Promise.resolve()
  plan(o.everyMs)

  function plan(ms: number): void {
    if (closed) return
    timer = setTimeout(() => {
      sweeping = sweep()
    }, ms)
  }

  async function sweep(): Promise<void> {
    try {
      while (await sweepOnce());
      await sweepOrphans()
      failures = 0
      plan(o.everyMs)
    } catch (error) {
      o.log.warn({ err: error }, 'sweeping failed')
      plan(backoffMs(failures++, { baseMs: 200 }))
    }
  }

  /** Answers whether there may be more. */
  async function sweepOnce(): Promise<boolean> {
    const released = await releaseExpiredLeases(o.db, { limit: ROWS_PER_STATEMENT })
    let deliveries = 0
    for (const count of released.values()) deliveries += count
    if (deliveries > 0) {
      o.log.info({ deliveries, webhooks: released.size }, 'leases ended, their deliveries are due again')
      o.onReleased(released.keys(), deliveries)
    }
    return deliveries >= ROWS_PER_STATEMENT && !closed
  }

  async function sweepOrphans(): Promise<void> {
    const within = sweeps++ % ALL_ORPHANS_EVERY === 0 ? {} : { deletedWithinMs: DELETED_LATELY_MS }
    while (await cancelOrphans({ limit: ROWS_PER_STATEMENT, ...within }));
  }

  async function cancelOrphans(options: Parameters<typeof cancelOrphanedDeliveries>[1]): Promise<boolean> {
    return (await cancelOrphanedDeliveries(o.db, options)) >= options.limit && !closed
  }

  async function close(): Promise<void> {
    closed = true
    clearTimeout(timer)
    await sweeping
  }

  return { close }
}
