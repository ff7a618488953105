import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { defineRow, plain, tenant, time, timeOrNull, typeId, type RowOf } from '../define-row.ts'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import { callFunction } from '../prepared.ts'

const REQUEST = {
  /** TypeID `rdl_…`. */
  id: typeId('rdl'),
  tenant,
  /** Which deliveries, as JSON text of the members of the API. */
  filter: plain<string>(),
  dryRun: plain<boolean>(),
}

/** The members of a redelivery, of `redeliveries r`. */
export const redeliveryRow = defineRow('r', {
  ...REQUEST,
  state: plain<'running' | 'completed' | 'cancelled' | 'failed'>(),
  /** Deliveries that were scanned. */
  scannedCount: plain<number>(),
  /** Deliveries that were made pending, or on a dry run would be. */
  deliveryCount: plain<number>(),
  createdAtMs: time(),
  updatedAtMs: time(),
  finishedAtMs: timeOrNull(),
})

/** A redelivery and how far it is. */
export type RedeliveryRow = RowOf<typeof redeliveryRow>

/** The request of a redelivery. */
export type RedeliveryRequest = Pick<RedeliveryRow, keyof typeof REQUEST>

/** A redelivery of a tenant; `id` is a valid `rdl_…`. */
export interface RedeliveryKey {
  readonly tenant: string
  readonly id: string
}

/** Dry runs of a tenant that run at the same time: the search for the next slice reads all that run. */
export const DRY_RUNS_MAX = 10

/**
 * Stores a redelivery, which the webhook worker then carries out, and returns it as it was written. `under_way` if the tenant already
 * runs a redelivery that is no dry run (the unique index redeliveries_running holds it), or, for a dry run, about {@link DRY_RUNS_MAX}
 * dry runs. By index redeliveries_due.
 */
export async function insertRedelivery(db: Queryable, o: RedeliveryRequest): Promise<RedeliveryRow | 'under_way'> {
  const written = await db.query(
    `INSERT INTO redeliveries AS r (id, tenant_id, filter, dry_run)
     SELECT $1::uuid, $2::text, $3::json, $4::boolean
      WHERE NOT $4 OR (SELECT count(*) FROM redeliveries d
                        WHERE d.state = 'running' AND d.dry_run AND d.tenant_id = $2) < ${DRY_RUNS_MAX}
     ON CONFLICT (tenant_id) WHERE state = 'running' AND NOT dry_run AND drained_webhook_id IS NULL DO NOTHING
     RETURNING ${redeliveryRow.columns}`,
    [typeIdToUuid('rdl', o.id), o.tenant, o.filter, o.dryRun],
  )
  return redeliveryRow.readFirst(written) ?? 'under_way'
}

/**
 * SQL: a caller has asked for the redelivery `r`, and not `drain_webhook`, which makes the pending deliveries of one webhook due and is in no
 * answer.
 */
const IS_ASKED_FOR = 'r.drained_webhook_id IS NULL'

/** One redelivery of a tenant, or undefined. By primary key. */
export async function getRedelivery(db: Queryable, o: RedeliveryKey): Promise<RedeliveryRow | undefined> {
  const found = await db.query(
    `SELECT ${redeliveryRow.columns} FROM redeliveries r WHERE r.id = $1 AND r.tenant_id = $2 AND ${IS_ASKED_FOR}`,
    [typeIdToUuid('rdl', o.id), o.tenant],
  )
  return redeliveryRow.readFirst(found)
}

/** A page of a tenant's redeliveries, newest first, from below `cursorId`. A range of redeliveries_listed, which alone has the order. */
export async function listRedeliveries(
  db: Queryable,
  o: { readonly tenant: string; readonly cursorId?: string; readonly limit: number },
): Promise<readonly RedeliveryRow[]> {
  const { high } = idBounds('rdl', { ...o, order: 'desc' })
  const { rows } = await db.query(
    `SELECT ${redeliveryRow.columns} FROM redeliveries r
      WHERE (r.tenant_id, r.id) < ($1, $2::uuid) AND r.tenant_id >= $1 AND ${IS_ASKED_FOR}
      ORDER BY r.tenant_id DESC, r.id DESC LIMIT $3`,
    [o.tenant, high, o.limit],
  )
  return rows.map(redeliveryRow.read)
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
    `SELECT id FROM redeliveries r WHERE state = 'running' AND tenant_id = $1 AND dry_run = $2 AND ${IS_ASKED_FOR} ORDER BY id LIMIT 1`,
    [o.tenant, o.dryRun],
  )
  return rows[0] === undefined ? undefined : uuidToTypeId('rdl', rows[0].id)
}

/**
 * Ends a running redelivery and returns it; a finished one is returned unchanged, undefined if there is none. It waits for the
 * slice that is under way, and after its commit no further slice is made. What is pending already is still sent.
 */
export async function cancelRedelivery(db: Queryable, o: RedeliveryKey): Promise<RedeliveryRow | undefined> {
  const cancelled = await db.query(
    `UPDATE redeliveries r SET state = 'cancelled', updated_at = clock_timestamp(), finished_at = clock_timestamp()
      WHERE r.id = $1 AND r.tenant_id = $2 AND r.state = 'running' AND ${IS_ASKED_FOR}
     RETURNING ${redeliveryRow.columns}`,
    [typeIdToUuid('rdl', o.id), o.tenant],
  )
  return redeliveryRow.readFirst(cancelled) ?? (await getRedelivery(db, o))
}

/** Deletes redeliveries that ended longer ago than deliveries are kept, at most `limit`, and returns how many. By primary key. */
export async function deleteExpiredRedeliveries(db: Queryable, o: { readonly limit: number }): Promise<number> {
  return await callFunction(db, 'delete_expired_redeliveries', [o.limit])
}
