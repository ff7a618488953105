import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import { isStill, NOT_STARTED, TRANSITIONS } from '@ariftly/store/deliveries'

/** A delivery and the number of the attempt that is meant. */
export interface AttemptRef {
  readonly deliveryId: string
  readonly attempt: number
}

/**
 * Takes back what was queued but has reached no queue (Redis is unavailable, or the answer to the commit was lost): `pending` again, due now,
 * under a new attempt number, so that a job that did get through is dropped, unless it has begun already. What is pending stays
 * unchanged, and is in the condition so that the statement waits for a commit that is still under way. Returns how many are pending. By
 * primary key: `= ANY` beside the join is a planner hint for that.
 */
export async function unqueueDeliveries(db: Queryable, refs: readonly AttemptRef[]): Promise<number> {
  if (refs.length === 0) return 0
  const { rowCount } = await db.query(
    `UPDATE deliveries d
        SET ${TRANSITIONS.release.set}
       FROM unnest($1::uuid[], $2::int[]) AS j (id, attempt)
      WHERE d.id = j.id AND d.id = ANY ($1::uuid[]) AND d.attempt = j.attempt AND ${isStill(['pending', 'queued'])}
        AND ${NOT_STARTED}`,
    [refs.map((ref) => typeIdToUuid('dlv', ref.deliveryId)), refs.map((ref) => ref.attempt)],
  )
  return rowCount ?? 0
}
