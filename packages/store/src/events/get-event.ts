import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { LOGGED_COLUMNS, toLoggedEvent, type LoggedColumns, type LoggedEvent } from './event-row.ts'

/** One event of a tenant, or undefined. `id` is a valid `evt_…` (RangeError if not). By primary key, in one partition. */
export async function getEvent(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<LoggedEvent | undefined> {
  const { rows } = await db.query<LoggedColumns>({
    name: 'get-event',
    text: `SELECT ${LOGGED_COLUMNS} FROM events WHERE tenant_id = $1 AND id = $2::uuid`,
    values: [o.tenant, typeIdToUuid('evt', o.id)],
  })
  return rows[0] === undefined ? undefined : toLoggedEvent(rows[0])
}
