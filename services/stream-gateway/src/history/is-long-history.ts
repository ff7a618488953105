import type { EventFilter } from '@ariftly/events'
import { collationOf } from '@ariftly/store/events'
import type { Queryable } from '@ariftly/store'

/**
 * Whether the task or session that a filter names has more than `rowsMax` events in all; false when it names none. Counts
 * entries of events_task or events_session, no more than that. For connections with `LIST_SETTINGS`.
 */
export async function isLongHistory(
  db: Queryable,
  o: { readonly tenant: string; readonly filter: EventFilter; readonly rowsMax: number },
): Promise<boolean> {
  const { taskId, sessionId } = o.filter
  const key = taskId ?? sessionId
  if (key == null) return false
  const { rowCount } = await db.query(
    `SELECT FROM events
      WHERE tenant_id${collationOf(o.filter)} = $1 AND ${taskId == null ? 'session_id' : 'task_id'} = $2
      ORDER BY id OFFSET $3 LIMIT 1`,
    [o.tenant, key, o.rowsMax],
  )
  return rowCount === 1
}
