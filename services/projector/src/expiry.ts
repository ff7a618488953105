import { LIMITS } from '@ariftly/events'
import { messageOf, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { deleteExpiredAuditEntries } from '@ariftly/store/audit'
import { dropExpiredEventPartitions, ensureEventPartitions } from '@ariftly/store/events'
import { deleteExpiredLogTimes } from '@ariftly/store/projection'

const HOUR_MS = 60 * 60 * 1_000
const DAY_MS = 24 * HOUR_MS
/** How long the log keeps a record: the topic's `retention.ms`. */
export const LOG_RETENTION_MS = 7 * DAY_MS
const AHEAD_MS = 14 * DAY_MS
/** Entries of the audit log that are removed in an hour at most. */
const AUDIT_ROWS_MAX = 100_000
/** Times of the log are kept for as long as history, and a day. */
const LOG_TIMES_MS = LIMITS.historyMsMax + DAY_MS

/**
 * Once an hour creates the partitions of the coming two weeks and drops those whose time is over, and deletes entries of the audit log older than 400 days and `log_times` older
 * than 91 days. The rules of the first three are checked in Postgres. Returns a function that stops it.
 */
export function startExpiry(o: { readonly pool: Pool; readonly log: Logger; readonly now: () => number }): () => void {
  let stopped = false

  async function run(): Promise<void> {
    try {
      await ensureEventPartitions(o.pool, { minMs: o.now(), maxMs: o.now() + AHEAD_MS })
      const dropped = await dropExpiredEventPartitions(o.pool, { logRetentionMs: LOG_RETENTION_MS })
      await deleteExpiredAuditEntries(o.pool, AUDIT_ROWS_MAX)
      await deleteLogTimes()
      if (dropped.length > 0) o.log.info({ partitions: dropped }, 'expired partitions of events were dropped')
    } catch (error) {
      if (stopped) return
      o.log.warn({ reason: messageOf(error) }, 'partitions of events could not be kept; tried again in an hour')
    }
  }

  /** In bounded statements, so that a backlog locks nothing for long. */
  async function deleteLogTimes(): Promise<void> {
    const deleted = stopped ? 0 : await deleteExpiredLogTimes(o.pool, o.now() - LOG_TIMES_MS)
    if (deleted > 0) await deleteLogTimes()
  }

  const timer = setInterval(() => void run(), HOUR_MS)
  timer.unref()
  void run()
  return () => {
    stopped = true
    clearInterval(timer)
  }
}
