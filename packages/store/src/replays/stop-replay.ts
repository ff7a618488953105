import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Stops a running replay; false when it does not run (any more). It waits for the slice that is under way, and after its
 * commit no further slice is made: what the replay has made pending is then all there is to cancel (`cancelDeliveries`).
 */
export async function stopReplay(db: Queryable, o: { readonly tenant: string; readonly id: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhook_replays SET state = 'cancelled', updated_at = now(), finished_at = now()
      WHERE id = $1 AND tenant_id = $2 AND state = 'running'`,
    [typeIdToUuid('rpl', o.id), o.tenant],
  )
  return rowCount === 1
}
