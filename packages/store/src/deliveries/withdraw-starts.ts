import { typeIdToUuid } from '@ariftly/events'
import { plainArray, prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { isStill } from './delivery-state.ts'
import type { AttemptRef } from './unqueue-deliveries.ts'

/**
 * Undoes starts of a worker whose answer it has not seen: it makes none of these attempts, so that they may be started again.
 * Whether they were started is judged row by row and not in the condition, so that a start that is still under way is waited
 * for. By primary key.
 */
export async function withdrawStarts(
  db: Queryable,
  o: { readonly refs: readonly AttemptRef[]; readonly workerId: string },
): Promise<void> {
  await db.query(
    prepared(
      `UPDATE deliveries d
          SET started_attempt = CASE WHEN d.started_attempt = d.attempt AND d.worker_id = $3 THEN d.attempt - 1
                                     ELSE d.started_attempt END
         FROM unnest($1::uuid[], $2::int[]) AS j (id, attempt)
        WHERE d.id = j.id AND d.id = ANY ($1::uuid[]) AND d.attempt = j.attempt AND ${isStill(['queued'], 'd')}`,
      [
        plainArray(o.refs.map((ref) => typeIdToUuid('dlv', ref.deliveryId))),
        plainArray(o.refs.map((ref) => ref.attempt)),
        o.workerId,
      ],
    ),
  )
}
