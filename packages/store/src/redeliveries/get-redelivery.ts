import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { REDELIVERY_COLUMNS, toRedeliveryRow, type RedeliveryColumns, type RedeliveryRow } from './redelivery-row.ts'

/** One redelivery of a tenant, or undefined. `id` is a valid `rdl_…`. By primary key. */
export async function getRedelivery(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<RedeliveryRow | undefined> {
  const { rows } = await db.query<RedeliveryColumns>(
    `SELECT ${REDELIVERY_COLUMNS} FROM redeliveries r WHERE r.id = $1 AND r.tenant_id = $2`,
    [typeIdToUuid('rdl', o.id), o.tenant],
  )
  return rows[0] === undefined ? undefined : toRedeliveryRow(rows[0])
}
