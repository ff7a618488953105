import { sleep, type Logger } from '@ariftly/runtime'
import { dropExpiredDeliveryPartitions, ensureDeliveryPartitions, type Queryable } from '@ariftly/store'

const EVERY_MS = 3_600_000
const RETRY_MS = 30_000
const AHEAD_MS = 14 * 86_400_000

/**
 * Keeps partitions of deliveries and attempts ahead of time, and drops those that ended 35 days ago; what was not finished
 * in them is counted and logged as `delivery_expired`. Runs until the signal aborts.
 */
export async function keepDeliveryPartitions(o: {
  readonly db: Queryable
  readonly onExpired: (deliveries: number) => void
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly now?: () => number
}): Promise<void> {
  const now = o.now ?? Date.now

  async function look(): Promise<number> {
    try {
      await ensureDeliveryPartitions(o.db, { minMs: now(), maxMs: now() + AHEAD_MS })
      const { dropped, expired } = await dropExpiredDeliveryPartitions(o.db)
      if (dropped.length > 0) o.log.info({ dropped }, 'expired partitions were dropped')
      if (expired > 0) {
        o.log.error({ code: 'delivery_expired', deliveries: expired }, 'deliveries expired before they were delivered')
        o.onExpired(expired)
      }
      return EVERY_MS
    } catch (error) {
      o.log.warn({ err: error }, 'partitions of deliveries could not be looked after')
      return RETRY_MS
    }
  }

  while (!o.signal.aborted) await sleep(await look(), o.signal)
}
