import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { getRedelivery } from './get-redelivery.ts'
import { REDELIVERY_COLUMNS, toRedeliveryRow, type RedeliveryColumns, type RedeliveryRow } from './redelivery-row.ts'

/**
 * Ends a running redelivery and returns it; a finished one is returned as it is, undefined if there is none. It waits for the
 * slice that is under way, and after its commit no further slice is made. What is pending already is still sent.
 */
export async function cancelRedelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<RedeliveryRow | undefined> {
  const { rows } = await db.query<RedeliveryColumns>(
    `UPDATE redeliveries r SET state = 'cancelled', updated_at = clock_timestamp(), finished_at = clock_timestamp()
      WHERE r.id = $1 AND r.tenant_id = $2 AND r.state = 'running'
     RETURNING ${REDELIVERY_COLUMNS}`,
    [typeIdToUuid('rdl', o.id), o.tenant],
  )
  return rows[0] === undefined ? await getRedelivery(db, o) : toRedeliveryRow(rows[0])
}
