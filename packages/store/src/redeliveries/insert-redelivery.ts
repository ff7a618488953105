import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  REDELIVERY_COLUMNS,
  toRedeliveryRow,
  type RedeliveryColumns,
  type RedeliveryRequest,
  type RedeliveryRow,
} from './redelivery-row.ts'

/** Dry runs of a tenant that run at the same time: the look for the next slice reads all that run. */
export const DRY_RUNS_MAX = 10

/**
 * Stores a redelivery, which the webhook worker then carries out, and returns it as it was written. `under_way` when the
 * tenant has a running one that is no dry run and this is none either (the unique index redeliveries_running holds it), or
 * when this is a dry run and about {@link DRY_RUNS_MAX} of the tenant run. By index redeliveries_due.
 */
export async function insertRedelivery(db: Queryable, o: RedeliveryRequest): Promise<RedeliveryRow | 'under_way'> {
  const { rows } = await db.query<RedeliveryColumns>(
    `INSERT INTO redeliveries AS r (id, tenant_id, filter, dry_run)
     SELECT $1::uuid, $2::text, $3::json, $4::boolean
      WHERE NOT $4 OR (SELECT count(*) FROM redeliveries d
                        WHERE d.state = 'running' AND d.dry_run AND d.tenant_id = $2) < ${DRY_RUNS_MAX}
     ON CONFLICT (tenant_id) WHERE state = 'running' AND NOT dry_run DO NOTHING
     RETURNING ${REDELIVERY_COLUMNS}`,
    [typeIdToUuid('rdl', o.id), o.tenant, o.filter, o.dryRun],
  )
  return rows[0] === undefined ? 'under_way' : toRedeliveryRow(rows[0])
}
