import { withTransaction, type Pool } from '@ariftly/store'
import { scanDeliveries } from '@ariftly/store/deliveries'
import {
  advanceRedelivery,
  anyWebhookFull,
  delayRedelivery,
  lockNextRedelivery,
  noteFailedSlice,
  redeliverMany,
  toDeliveryFilter,
  type LockedRedelivery,
  type StoredFilter,
} from '@ariftly/store/redeliveries'
import type { Transaction } from '@ariftly/store'

/** What came of looking for a slice to make. */
export type RedeliverySlice =
  /** No slice is due, or all that are due are in the hands of others. */
  | { readonly type: 'idle' }
  /** A webhook has enough to do: the slice comes later. */
  | { readonly type: 'full' }
  | { readonly type: 'failed'; readonly error: unknown }
  /** `made` are deliveries that were made pending, by webhook. */
  | { readonly type: 'advanced'; readonly made: ReadonlyMap<string, number> }

/** Deliveries that one slice looks at. */
const DELIVERIES_PER_SLICE = 1000
/** Deliveries of a webhook that are due and wait, beyond which none is added. */
const WAITING_MAX = 2000
/** Until a slice that found a webhook full, or failed, is tried again. */
const DELAY_MS = 1000
/** Slices that fail in a row, after which the redelivery has failed. */
const FAILED_SLICES_MAX = 20

/**
 * Makes the next slice of the redelivery whose turn it is. One transaction covers the cursor and the slice's deliveries, so a
 * worker that dies in it has done nothing, and another continues from the same place. `pool` has `LIST_SETTINGS`.
 */
export async function makeRedeliverySlice(
  pool: Pool,
  o: { readonly deliveriesMax?: number; readonly waitingMax?: number } = {},
): Promise<RedeliverySlice> {
  let id: string | undefined
  try {
    return await withTransaction(pool, async (tx): Promise<RedeliverySlice> => {
      const redelivery = await lockNextRedelivery(tx)
      if (redelivery === undefined) return { type: 'idle' }
      id = redelivery.id
      return await makeSlice(tx, redelivery, { deliveriesMax: DELIVERIES_PER_SLICE, waitingMax: WAITING_MAX, ...o })
    })
  } catch (error) {
    if (id === undefined) throw error
    await noteFailedSlice(pool, { id, delayMs: DELAY_MS, slicesMax: FAILED_SLICES_MAX })
    return { type: 'failed', error }
  }
}

async function makeSlice(
  tx: Transaction,
  redelivery: LockedRedelivery,
  o: { readonly deliveriesMax: number; readonly waitingMax: number },
): Promise<RedeliverySlice> {
  const { id, tenant, dryRun, cursorId, createdAtMs } = redelivery
  const filter = toDeliveryFilter(JSON.parse(redelivery.filter) as StoredFilter, createdAtMs)
  const scan = await scanDeliveries(tx, { tenant, filter, cursorId, limit: o.deliveriesMax })
  const wanted = scan.deliveries.filter(({ fits }) => fits)
  const webhookIds = [...new Set(wanted.map(({ webhookId }) => webhookId))]
  if (!dryRun && (await anyWebhookFull(tx, { webhookIds, waitingMax: o.waitingMax }))) {
    await delayRedelivery(tx, { id, delayMs: DELAY_MS })
    return { type: 'full' }
  }
  const ids = wanted.map((delivery) => delivery.id)
  const counts = await redeliverMany(tx, { tenant, ids, status: filter.status, dryRun })
  const deliveries = [...counts.values()].reduce((sum, count) => sum + count, 0)
  await advanceRedelivery(tx, { id, nextId: scan.nextId, scanned: scan.deliveries.length, deliveries })
  return { type: 'advanced', made: dryRun ? new Map<string, number>() : counts }
}
