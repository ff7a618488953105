import { defineRow, plain, timeOrNull } from '../define-row.ts'
import type { Queryable } from '../queryable.ts'

/** A place in the whole log: of each partition of an epoch the first offset behind it. */
export interface LogPosition {
  readonly epoch: number
  readonly offsets: readonly number[]
}

const foundRow = defineRow('found', {
  /** Whether the epoch is that of the log which is read now. */
  isCurrent: plain<boolean>(),
  /** When the first record behind it was appended, as far as the projection knows; null when none is. */
  firstAppendedMs: timeOrNull(),
  /** The same of the tenant's events alone. */
  firstEventMs: timeOrNull(),
})

/** What the projection knows of a position. */
export type FoundPosition = ReturnType<typeof foundRow.read>

/**
 * Finds a position of a stream in what is kept of the log. `firstAppendedMs` may be a second late. One probe a partition of
 * log_times' primary key and of events_position.
 */
export async function findPosition(
  db: Queryable,
  o: LogPosition & { readonly tenant: string },
): Promise<FoundPosition | undefined> {
  const found = await db.query(
    `WITH begins AS (
       SELECT p.epoch, p.partition, coalesce(($2::bigint[])[p.partition + 1], 0) AS "offset"
         FROM projection_offsets p WHERE p.projection = 'events' AND p.epoch = $1)
     SELECT (SELECT max(epoch) FROM log_epochs) = $1 AS is_current,
            (SELECT min(first.appended_at) FROM begins b CROSS JOIN LATERAL (
               SELECT t.appended_at FROM log_times t
                WHERE t.epoch = b.epoch AND t.partition = b.partition AND t."offset" >= b."offset"
                ORDER BY t."offset" LIMIT 1) first) AS first_appended,
            (SELECT min(first.appended_at) FROM begins b CROSS JOIN LATERAL (
               SELECT e.appended_at FROM events e
                WHERE e.tenant_id = $3 AND e.epoch = b.epoch AND e.partition = b.partition AND e."offset" >= b."offset"
                ORDER BY e."offset" LIMIT 1) first) AS first_event`,
    [o.epoch, o.offsets, o.tenant],
  )
  return foundRow.readFirst(found)
}
