import { inSlices, startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import { deleteExpiredSuccessAnswers } from '../settling/keep-success-answers.ts'
import { dropExpiredDeliveryPartitions, ensureDeliveryPartitions, KEPT_MS } from '../matching/delivery-partitions.ts'
import { deleteExpiredAnswers } from '@ariftly/store/idempotency'
import { deleteExpiredRedeliveries } from '@ariftly/store/redeliveries'
import { deleteExpiredReplays } from '@ariftly/store/replays'
import { deleteExpiredStats, deleteExpiredStatsWriters } from '@ariftly/store/stats'
import { deleteExpiredWebhooks } from '@ariftly/store/webhooks'

const EVERY_MS = 3_600_000
const RETRY_MS = 30_000
const AHEAD_MS = 14 * 86_400_000
const ROWS_PER_STATEMENT = 1000

/**
 * Keeps partitions of deliveries and attempts ahead of time and as far back as replays reach (none is made while no worker runs),
 * and drops those whose retention is over; what was not finished in them is counted and logged as `delivery_expired`. Replays and redeliveries that ended so long ago, and webhooks that were deleted then, go too,
 * and so do answers that were kept for a day under an `Idempotency-Key`. Runs until the signal aborts.
 */
export async function keepRetention(o: {
  readonly db: Queryable
  readonly onExpired: (deliveries: number) => void
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly now?: () => number
}): Promise<void> {
  const now = o.now ?? Date.now

  async function removeExpired(): Promise<void> {
    await ensureDeliveryPartitions(o.db, { minMs: now() - KEPT_MS, maxMs: now() + AHEAD_MS })
    const { dropped, expired } = await dropExpiredDeliveryPartitions(o.db)
    if (dropped.length > 0) o.log.info({ dropped }, 'expired partitions were dropped')
    if (expired > 0) {
      o.log.error({ code: 'delivery_expired', deliveries: expired }, 'deliveries expired before they were delivered')
      o.onExpired(expired)
    }
    await expire('replays', deleteExpiredReplays)
    await expire('redeliveries', deleteExpiredRedeliveries)
    // Behind replays, which refer to them.
    await expire('webhooks', deleteExpiredWebhooks)
    await expire('statistics', deleteExpiredStats)
    await deleteExpiredStatsWriters(o.db)
    await deleteExpiredSuccessAnswers(o.db)
    await expire('kept answers of writes', deleteExpiredAnswers)
  }

  async function expire(what: string, remove: (db: Queryable, o: { limit: number }) => Promise<number>): Promise<void> {
    const deleted = await inSlices(() => remove(o.db, { limit: ROWS_PER_STATEMENT }), o.signal)
    if (deleted > 0) o.log.info({ deleted }, `expired ${what} were deleted`)
  }

  await startPoll({
    step: removeExpired,
    everyMs: EVERY_MS,
    retryMs: () => RETRY_MS,
    signal: o.signal,
    log: o.log,
    failing: 'deliveries and replays cannot be expired',
  }).ended
}
