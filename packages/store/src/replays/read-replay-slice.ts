import { readMatchableEvents, type MatchableEvents } from '../events/read-matchable-events.ts'
import type { Queryable } from '../queryable.ts'
import { CLOCK_SLACK_MS } from './clock-slack.ts'
import type { ReplayCursor } from './lock-next-replay.ts'

/**
 * A tenant's next events of one partition of the log, in offset order. It ends a minute of log time behind `beforeMs`, so
 * that a clock that was set back loses nothing and a replay does not chase the log's end; the caller looks at each time.
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
