import { typeIdToUuid } from '@ariftly/events'
import { readMatchableEvents, type MatchableEvents } from '../matching/read-matchable-events.ts'
import type { Queryable } from '@ariftly/store'
import type { ReplayCursor } from './lock-next-replay.ts'

/** How far the clock by which records are appended may go back, at both ends of a replay, without a loss: the caller checks each time. */
const CLOCK_SLACK_MS = 60_000

/**
 * Where a replay begins in the partition of the log that follows `behind` (the first one without it), all epochs in turn. In
 * the epoch of a position at what the position says (a partition that was added since: at 0), in no epoch before it; else
 * at an offset from which everything appended after `afterMs` follows, with a minute of log time before, so that a clock that
 * was set back loses nothing. Undefined behind the last. By primary keys and log_times_appended_at.
 */
export async function nextReplayPartition(
  tx: Queryable,
  o: {
    readonly replayId: string
    readonly behind: Pick<ReplayCursor, 'epoch' | 'partition'> | undefined
    readonly afterMs: number
  },
): Promise<ReplayCursor | undefined> {
  const { rows } = await tx.query<{ epoch: number; partition: number; offset: number }>(
    `SELECT p.epoch, p.partition,
            CASE WHEN p.epoch = r.from_epoch THEN coalesce(r.from_offsets[p.partition + 1], 0)
                 ELSE coalesce((SELECT t."offset" FROM log_times t
                                 WHERE t.epoch = p.epoch AND t.partition = p.partition AND t.appended_at <= $3
                                 ORDER BY t.appended_at DESC, t."offset" DESC
                                 LIMIT 1), 0) END AS "offset"
       FROM webhook_replays r
       JOIN projection_offsets p ON p.projection = 'events' AND p.epoch >= coalesce(r.from_epoch, 0)
      WHERE r.id = $4 AND (p.epoch, p.partition) > ($1, $2)
      ORDER BY p.epoch, p.partition
      LIMIT 1`,
    [
      o.behind?.epoch ?? 0,
      o.behind?.partition ?? -1,
      new Date(o.afterMs - CLOCK_SLACK_MS),
      typeIdToUuid('rpl', o.replayId),
    ],
  )
  return rows[0]
}

/** How far a partition of the log is projected. */
export interface ReplayReach {
  /** The first offset that is not projected. */
  readonly nextOffset: number
  /** Whether more events of the replay may be in the log: its epoch is the newest, and nothing later than the replay's end is projected. */
  readonly isOpen: boolean
}

/**
 * How far the partition is projected. To be read before the slice that it is compared with: the slice then has all events below
 * `nextOffset`. By primary keys and log_times_appended_at.
 */
export async function readReplayReach(
  tx: Queryable,
  o: { readonly from: Pick<ReplayCursor, 'epoch' | 'partition'>; readonly beforeMs: number },
): Promise<ReplayReach> {
  const { from, beforeMs } = o
  const { rows } = await tx.query<ReplayReach>(
    `SELECT next_offset AS "nextOffset",
            epoch = (SELECT max(epoch) FROM log_epochs)
              AND NOT EXISTS (SELECT FROM log_times t WHERE t.epoch = $1 AND t.partition = $2 AND t.appended_at >= $3) AS "isOpen"
       FROM projection_offsets
      WHERE projection = 'events' AND epoch = $1 AND partition = $2`,
    [from.epoch, from.partition, new Date(beforeMs + CLOCK_SLACK_MS)],
  )
  return rows[0] ?? { nextOffset: 0, isOpen: false }
}

/**
 * A tenant's next events of one partition of the log, in offset order. It ends a minute of log time behind `beforeMs`, so
 * that a clock that was set back loses nothing and a replay does not chase the log's end; the caller checks each time.
 * A range of events_position. With `withData` a slice with large payloads has fewer than `limit` events.
 */
export async function readReplaySlice(
  tx: Queryable,
  o: {
    readonly tenant: string
    readonly from: ReplayCursor
    readonly beforeMs: number
    readonly limit: number
    readonly withData: boolean
  },
): Promise<MatchableEvents> {
  const { tenant, from, beforeMs, limit, withData } = o
  return await readMatchableEvents(tx, {
    limit,
    withData,
    where: `tenant_id = $1 AND epoch = $2 AND partition = $3 AND "offset" >= $4
        AND "offset" < coalesce((SELECT t."offset" FROM log_times t
                                  WHERE t.epoch = $2 AND t.partition = $3 AND t.appended_at >= $5
                                  ORDER BY t.appended_at, t."offset"
                                  LIMIT 1), 9223372036854775807)`,
    values: [tenant, from.epoch, from.partition, from.offset, new Date(beforeMs + CLOCK_SLACK_MS)],
  })
}
