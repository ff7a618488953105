import type { LongJobs, Pool, Transaction } from '@ariftly/store'
import { probeSoon } from '@ariftly/store/deliveries'
import { scanDeliveries } from './scan-deliveries.ts'
import {
  advanceRedelivery,
  anyRedeliveryDue,
  delayRedelivery,
  lockNextRedelivery,
  noteFailedSlice,
  type LockedRedelivery,
} from './lock-next-redelivery.ts'
import { anyWebhookFull, redeliverMany } from './redeliver-many.ts'
import { toDeliveryFilter, type StoredFilter } from '@ariftly/store/redeliveries'

/** Result of a slice: deliveries that were made due, by webhook; or `full`, a webhook has enough to do and the slice is made later. */
type RedeliverySlice = ReadonlyMap<string, number> | 'full'

/** Dependencies of redeliveries. */
export interface RedeliveryJobsOptions {
  /** Has `LIST_SETTINGS`. */
  readonly pool: Pool
  /** Called after each slice that has made deliveries due. */
  readonly onRedelivered: (webhookIds: Iterable<string>) => void
  readonly deliveriesMax?: number
  readonly waitingMax?: number
}

/** Deliveries that one slice scans. */
const DELIVERIES_PER_SLICE = 1000
/** Deliveries of a webhook that are due and wait, beyond which none is added. */
const WAITING_MAX = 2000
/** Until a slice that found a webhook full, or failed, is tried again. */
const DELAY_MS = 1000
/** Slices that fail in a row, after which the redelivery has failed. */
const FAILED_SLICES_MAX = 20

/** Redeliveries as long jobs. */
export function redeliveryJobs(o: RedeliveryJobsOptions): LongJobs<LockedRedelivery, RedeliverySlice> {
  const { pool, deliveriesMax = DELIVERIES_PER_SLICE, waitingMax = WAITING_MAX } = o
  return {
    pool,
    any: anyRedeliveryDue,
    lockNext: lockNextRedelivery,
    makeSlice: (tx, redelivery) => makeSlice(tx, redelivery, { deliveriesMax, waitingMax }),
    passOn: ({ id }) => noteFailedSlice(pool, { id, delayMs: DELAY_MS, slicesMax: FAILED_SLICES_MAX }),
    madeSlice(slice, tookMs) {
      if (slice !== 'full' && slice.size > 0) o.onRedelivered(slice.keys())
      return { usedMs: tookMs }
    },
  }
}

async function makeSlice(
  tx: Transaction,
  redelivery: LockedRedelivery,
  o: { readonly deliveriesMax: number; readonly waitingMax: number },
): Promise<RedeliverySlice> {
  const { id, tenant, dryRun, cursorId } = redelivery
  const filter = filterOf(redelivery)
  const scan = await scanDeliveries(tx, { tenant, filter, cursorId, limit: o.deliveriesMax })
  const wanted = scan.deliveries.filter(({ fits }) => fits)
  const webhookIds = [...new Set(wanted.map(({ webhookId }) => webhookId))]
  if (!dryRun && (await anyWebhookFull(tx, { webhookIds, waitingMax: o.waitingMax }))) {
    await delayRedelivery(tx, { id, delayMs: DELAY_MS })
    return 'full'
  }
  const ids = wanted.map((delivery) => delivery.id)
  const counts = await redeliverMany(tx, { tenant, ids, status: filter.status, dryRun })
  const deliveries = [...counts.values()].reduce((sum, count) => sum + count, 0)
  // A transaction that holds an endpoint may wait for this redelivery.
  if (!dryRun && deliveries > 0) await probeSoon(tx, { webhookIds: [...counts.keys()], skipLocked: true })
  await advanceRedelivery(tx, { id, nextId: scan.nextId, scanned: scan.deliveries.length, deliveries })
  return dryRun ? new Map<string, number>() : counts
}

function filterOf({ filter, drainedWebhookId, createdAtMs }: LockedRedelivery): ReturnType<typeof toDeliveryFilter> {
  // Without a time: a clock that was set back leaves deliveries that were created later than now.
  if (drainedWebhookId !== undefined) return { status: 'pending', webhookId: drainedWebhookId }
  return toDeliveryFilter(JSON.parse(filter) as StoredFilter, createdAtMs)
}
