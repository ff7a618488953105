import { backoffMs } from '@ariftly/async'
import { startPoll } from '@ariftly/fairness'
import type { Logger, Metrics } from '@ariftly/runtime'
import { withTransaction, type Pool } from '@ariftly/store'
import { deleteTenantSlice, nextTenantDeletion, revokeTenantKeys } from '@ariftly/store/tenants'

/** What the deletion of tenants needs. */
export interface TenantDeletionsOptions {
  readonly pool: Pool
  readonly metrics: Metrics
  readonly log: Pick<Logger, 'info' | 'warn'>
}

/** Rows of one slice, about 50 ms of Postgres. */
const ROWS_MAX = 1_000
/** Keys that are revoked under one hold of the feed's lock. */
const KEYS_MAX = 1_000
const IDLE_MS = 1_000
/** Pause until another process, or an older transaction, may be done. */
const WAIT_MS = 200
/** Shortest pause after a slice; else as long as the slice took, so that at most half of one connection is used. */
const PAUSE_MS = 10

/**
 * Deletes tenants in the background, slice by slice; any number of processes share the work, and one that is killed leaves at
 * most a slice to be done again. Returns how to stop it, after the step that is under way.
 *
 * For each tenant: revoke its keys; delete rows until none is left and no transaction is open that may add one; look at all of
 * it once more; the tenant is deleted.
 */
export function startTenantDeletions(o: TenantDeletionsOptions): () => Promise<void> {
  const { pool, log } = o
  const rowsDeleted = o.metrics.counter({
    name: 'ariftly_projector_tenant_rows_deleted_total',
    help: 'Rows that were deleted with their tenant.',
  })

  /** One step of one deletion; gives how long to wait before the next. */
  async function step(): Promise<number> {
    const deletion = await nextTenantDeletion(pool)
    if (deletion === undefined) return IDLE_MS
    const { tenant, hasKeys } = deletion
    const startedMs = performance.now()
    if (hasKeys) {
      await withTransaction(pool, (tx) => revokeTenantKeys(tx, { tenant, keysMax: KEYS_MAX }))
      return pauseAfter(startedMs)
    }
    const slice = await withTransaction(pool, (tx) => deleteTenantSlice(tx, { tenant, rowsMax: ROWS_MAX }))
    switch (slice.type) {
      case 'deleted':
        rowsDeleted.inc(slice.rows)
        return pauseAfter(startedMs)
      case 'finished':
        log.info({ tenant }, 'a tenant was deleted')
        return 0
      case 'taken':
      case 'waiting':
        return WAIT_MS
    }
  }

  return startPoll({ step, retryMs: backoffMs, log, failing: 'a tenant cannot be deleted yet' }).close
}

function pauseAfter(startedMs: number): number {
  return Math.max(PAUSE_MS, performance.now() - startedMs)
}
