import { inSlices, startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { deleteExpiredApiKeyChanges, deleteRevokedApiKeys } from '@ariftly/store/api-keys'
import { deleteExpiredAuditEntries } from '@ariftly/store/audit'
import { dropExpiredEventPartitions, ensureEventPartitions } from '@ariftly/store/events'
import { deleteExpiredLogTimes } from './log-times.ts'

const HOUR_MS = 60 * 60 * 1_000
const AHEAD_MS = 14 * 24 * HOUR_MS
/** Entries of the audit log that are removed in an hour at most. */
const AUDIT_ROWS_MAX = 100_000
/** API keys, or entries of the feed of their changes, that one statement deletes. */
const SLICE_ROWS = 1000

/**
 * Once an hour creates the partitions of the next two weeks and drops expired ones. Then it deletes audit entries older than
 * 400 days, API keys revoked 35 days ago, changes of keys older than a day, and times of the log older than the kept events.
 * Postgres decides when: the clock of this process only says which weeks are ahead. Returns a function that stops it.
 */
export function startExpiry(o: {
  readonly pool: Pool
  readonly log: Logger
  readonly now: () => number
}): () => Promise<void> {
  async function removeExpired(signal: AbortSignal): Promise<void> {
    await ensureEventPartitions(o.pool, { minMs: o.now(), maxMs: o.now() + AHEAD_MS })
    const dropped = await dropExpiredEventPartitions(o.pool)
    await deleteExpiredAuditEntries(o.pool, AUDIT_ROWS_MAX)
    await inSlices(() => deleteRevokedApiKeys(o.pool, SLICE_ROWS), signal)
    await inSlices(() => deleteExpiredApiKeyChanges(o.pool, SLICE_ROWS), signal)
    await inSlices(() => deleteExpiredLogTimes(o.pool), signal)
    if (dropped.length > 0) o.log.info({ partitions: dropped }, 'expired partitions of events were dropped')
  }

  return startPoll({
    step: removeExpired,
    everyMs: HOUR_MS,
    log: o.log,
    failing: 'partitions of events cannot be created or dropped, retrying in an hour',
  }).close
}
