import { uuidToTypeId } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import { REDELIVERY_COLUMNS, toRedeliveryRow, type RedeliveryColumns, type RedeliveryRow } from './redelivery-row.ts'

/** A page of a tenant's redeliveries, newest first, from below `cursorId`. A range of redeliveries_listed. */
export async function listRedeliveries(
  db: Queryable,
  o: { readonly tenant: string; readonly cursorId?: string | undefined; readonly limit: number },
): Promise<{ readonly redeliveries: readonly RedeliveryRow[]; readonly hasMore: boolean }> {
  const { tenant, cursorId, limit } = o
  const { high } = idBounds('rdl', { order: 'desc', ...(cursorId === undefined ? {} : { cursorId }) })
  const { rows } = await db.query<RedeliveryColumns>(
    `SELECT ${REDELIVERY_COLUMNS} FROM redeliveries r WHERE r.tenant_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3`,
    [tenant, high, limit + 1],
  )
  return { redeliveries: rows.slice(0, limit).map(toRedeliveryRow), hasMore: rows.length > limit }
}

/**
 * The oldest running redelivery of a tenant, of dry runs or of the others; undefined when none runs. Of the others one runs at most. By index
 * redeliveries_due, which holds running ones alone.
 */
export async function findRunningRedelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly dryRun: boolean },
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM redeliveries WHERE state = 'running' AND tenant_id = $1 AND dry_run = $2 ORDER BY id LIMIT 1`,
    [o.tenant, o.dryRun],
  )
  return rows[0] === undefined ? undefined : uuidToTypeId('rdl', rows[0].id)
}
