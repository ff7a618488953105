import type { Queryable } from '../queryable.ts'
import { CLOCK_SLACK_MS } from './clock-slack.ts'
import type { ReplayCursor } from './lock-next-replay.ts'

/**
 * Where a replay begins in the partition of the log that follows `behind` (the first one without it), all epochs in turn:
 * at an offset from which everything appended after `afterMs` follows, with a minute of log time before, so that a clock that
 * was set back loses nothing. Undefined behind the last. By primary keys and log_times_appended_at.
 */
export async function nextReplayPartition(
  tx: Queryable,
  o: { readonly behind: Pick<ReplayCursor, 'epoch' | 'partition'> | undefined; readonly afterMs: number },
): Promise<ReplayCursor | undefined> {
  const { rows } = await tx.query<{ epoch: number; partition: number; offset: number }>(
    `SELECT p.epoch, p.partition,
            coalesce((SELECT t."offset" FROM log_times t
                       WHERE t.epoch = p.epoch AND t.partition = p.partition AND t.appended_at <= $3
                       ORDER BY t.appended_at DESC, t."offset" DESC
                       LIMIT 1), 0) AS "offset"
       FROM projection_offsets p
      WHERE p.projection = 'events' AND (p.epoch, p.partition) > ($1, $2)
      ORDER BY p.epoch, p.partition
      LIMIT 1`,
    [o.behind?.epoch ?? 0, o.behind?.partition ?? -1, new Date(o.afterMs - CLOCK_SLACK_MS)],
  )
  return rows[0]
}
