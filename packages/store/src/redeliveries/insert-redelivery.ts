import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  REDELIVERY_COLUMNS,
  toRedeliveryRow,
  type RedeliveryColumns,
  type RedeliveryRequest,
  type RedeliveryRow,
} from './redelivery-row.ts'

/**
 * Stores a redelivery, which the webhook worker then carries out, and returns it as it was written. `under_way` when the
 * tenant has a running one that is no dry run and this is none either; the unique index redeliveries_running holds it.
 */
export async function insertRedelivery(db: Queryable, o: RedeliveryRequest): Promise<RedeliveryRow | 'under_way'> {
  const { rows } = await db.query<RedeliveryColumns>(
    `INSERT INTO redeliveries AS r (id, tenant_id, filter, dry_run) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id) WHERE state = 'running' AND NOT dry_run DO NOTHING
     RETURNING ${REDELIVERY_COLUMNS}`,
    [typeIdToUuid('rdl', o.id), o.tenant, o.filter, o.dryRun],
  )
  return rows[0] === undefined ? 'under_way' : toRedeliveryRow(rows[0])
}
