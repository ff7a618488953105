import { messageOf, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { deleteExpiredApiKeyChanges, deleteRevokedApiKeys } from '@ariftly/store/api-keys'
import { deleteExpiredAuditEntries } from '@ariftly/store/audit'
import { dropExpiredEventPartitions, ensureEventPartitions } from '@ariftly/store/events'
import { deleteExpiredLogTimes } from '@ariftly/store/projection'
import { readRetention } from '@ariftly/store/retention'

const HOUR_MS = 60 * 60 * 1_000
const DAY_MS = 24 * HOUR_MS
const AHEAD_MS = 14 * DAY_MS
/** Entries of the audit log that are removed in an hour at most. */
const AUDIT_ROWS_MAX = 100_000
/** Of API keys and of the feed of their changes, in one statement. */
const SLICE_ROWS = 1000

/**
 * Once an hour creates the partitions of the coming two weeks and drops those whose time is over, and deletes entries of the
 * audit log older than 400 days, API keys that were revoked 35 days ago, changes of keys older than a day, and times of the log
 * older than what is kept of events. The rules of all but the last are
 * checked in Postgres. Returns a function that stops it.
 */
export function startExpiry(o: { readonly pool: Pool; readonly log: Logger; readonly now: () => number }): () => void {
  let stopped = false

  async function run(): Promise<void> {
    try {
      await ensureEventPartitions(o.pool, { minMs: o.now(), maxMs: o.now() + AHEAD_MS })
      const { eventsMs, logMs } = await readRetention(o.pool)
      const dropped = await dropExpiredEventPartitions(o.pool, { logRetentionMs: logMs })
      await deleteExpiredAuditEntries(o.pool, AUDIT_ROWS_MAX)
      await inSlices(() => deleteRevokedApiKeys(o.pool, SLICE_ROWS))
      await inSlices(() => deleteExpiredApiKeyChanges(o.pool, SLICE_ROWS))
      // Times of the log are kept for as long as history, and a day.
      await inSlices(() => deleteExpiredLogTimes(o.pool, o.now() - eventsMs - DAY_MS))
      if (dropped.length > 0) o.log.info({ partitions: dropped }, 'expired partitions of events were dropped')
    } catch (error) {
      if (stopped) return
      o.log.warn({ reason: messageOf(error) }, 'partitions of events could not be kept; tried again in an hour')
    }
  }

  /** In bounded statements, so that a backlog locks nothing for long. */
  async function inSlices(deleteSlice: () => Promise<number>): Promise<void> {
    const deleted = stopped ? 0 : await deleteSlice()
    if (deleted > 0) await inSlices(deleteSlice)
  }

  const timer = setInterval(() => void run(), HOUR_MS)
  timer.unref()
  void run()
  return () => {
    stopped = true
    clearInterval(timer)
  }
}
