import type { Logger } from '@ariftly/runtime'
import { runLongJobs, type LongJobs, type Pool } from '@ariftly/store'
import {
  deleteTenantSlice,
  nextTenantDeletion,
  passTenantDeletion,
  revokeTenantKeys,
  type TenantDeletion,
  type TenantSlice,
} from './delete-tenant-slice.ts'

/** Dependencies of the deletion of tenants. */
export interface TenantDeletionsOptions {
  readonly pool: Pool
  readonly log: Pick<Logger, 'info' | 'warn'>
}

/** Rows of one slice, about 50 ms of Postgres. */
const ROWS_MAX = 1_000
/** Keys that are revoked under one hold of the feed's lock. */
const KEYS_MAX = 1_000
/** Pause until another process, or an older transaction, may be done. */
const WAIT_MS = 200
/** Shortest pause after a slice; else as long as the slice took, so that at most half of one connection is used. */
const PAUSE_MS = 10

/**
 * Deletes tenants in the background, slice by slice; any number of processes share the work, and one that is killed leaves at
 * most a slice to be done again. Returns how to stop it, after the step that is under way.
 *
 * For each tenant: revoke its keys; delete rows until none is left and no transaction is open that may add one; check all
 * tables again; the tenant is deleted.
 */
export function startTenantDeletions(o: TenantDeletionsOptions): () => Promise<void> {
  const { pool, log } = o
  const jobs: LongJobs<TenantDeletion, TenantSlice> = {
    pool,
    any: async (db) => (await nextTenantDeletion(db)) !== undefined,
    // Nothing is locked yet: a transaction that revokes keys takes the lock of their feed before any other.
    lockNext: nextTenantDeletion,
    async makeSlice(tx, { tenant, hasKeys }) {
      if (hasKeys) return await revokeTenantKeys(tx, { tenant, keysMax: KEYS_MAX })
      return await deleteTenantSlice(tx, { tenant, rowsMax: ROWS_MAX })
    },
    passOn: (deletion) => passTenantDeletion(pool, deletion),
    madeSlice(slice, tookMs) {
      if (slice.type === 'taken' || slice.type === 'waiting') return { atLeastMs: WAIT_MS }
      if (slice.type === 'finished') log.info({ tenant: slice.tenant }, 'a tenant was deleted')
      return { atLeastMs: Math.max(PAUSE_MS, tookMs) }
    },
  }
  return runLongJobs(jobs, { log, failing: 'a tenant cannot be deleted yet' }).close
}
