import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { exists, type Queryable } from '@ariftly/store'
import { redeliveryRow, type RedeliveryRow } from '@ariftly/store/redeliveries'

/** A running redelivery whose row this transaction holds. */
export interface LockedRedelivery extends RedeliveryRow {
  /** The last delivery that was scanned, `dlv_…`; undefined before the first slice. */
  readonly cursorId: string | undefined
  /** The webhook whose pending deliveries it makes due, `whk_…`; undefined when a caller has asked for it. */
  readonly drainedWebhookId: string | undefined
}

/** A slice is due; also when it was planned before the clock of Postgres was set back. */
const DUE = `state = 'running' AND (due_at <= now() OR updated_at > clock_timestamp())`

/** Tenants that are tried in turn when others hold their redeliveries. */
const TENANTS_MAX = 20

/** Whether a slice is due, on this worker or another. By index redeliveries_due. */
export const anyRedeliveryDue = exists(`redeliveries WHERE ${DUE}`)

/**
 * Locks the redelivery whose slice is due of the tenant whose last slice was longest ago, or returns undefined. One that
 * another worker holds is passed over. By indexes redeliveries_due and redeliveries_turns.
 */
export async function lockNextRedelivery(tx: Queryable): Promise<LockedRedelivery | undefined> {
  const { rows } = await tx.query<{ cursor_id: string | null; drained_webhook_id: string | null }>(
    `WITH turns AS (
       SELECT id, (SELECT max(t.updated_at) FROM redeliveries t
                    WHERE t.tenant_id = due.tenant_id AND t.updated_at <= clock_timestamp()) AS turn
         FROM (SELECT id, tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS place
                 FROM redeliveries
                WHERE ${DUE}) due
        WHERE place = 1
        ORDER BY turn NULLS FIRST LIMIT ${TENANTS_MAX})
     SELECT ${redeliveryRow.columns}, r.cursor_id, r.drained_webhook_id
       FROM redeliveries r JOIN turns ON turns.id = r.id
      WHERE r.state = 'running'
      ORDER BY turns.turn NULLS FIRST
      LIMIT 1
        FOR UPDATE OF r SKIP LOCKED`,
  )
  const [row] = rows
  if (row === undefined) return undefined
  return {
    ...redeliveryRow.read(row),
    cursorId: row.cursor_id === null ? undefined : uuidToTypeId('dlv', row.cursor_id),
    drainedWebhookId: row.drained_webhook_id === null ? undefined : uuidToTypeId('whk', row.drained_webhook_id),
  }
}

/** The result of a slice. */
export interface RedeliveryAdvance {
  readonly id: string
  /** The last delivery that was scanned, `dlv_…`; undefined when none follows: the redelivery is complete. */
  readonly nextId: string | undefined
  readonly scanned: number
  readonly deliveries: number
}

/** Moves a redelivery whose row this transaction holds on, or completes it. By primary key. */
export async function advanceRedelivery(tx: Queryable, o: RedeliveryAdvance): Promise<void> {
  await tx.query(
    `UPDATE redeliveries
        SET cursor_id = coalesce($2, cursor_id), scanned_count = scanned_count + $3, delivery_count = delivery_count + $4,
            failed_slices = 0, updated_at = clock_timestamp(), due_at = clock_timestamp(),
            state = CASE WHEN $2::uuid IS NULL THEN 'completed' ELSE state END,
            finished_at = CASE WHEN $2::uuid IS NULL THEN clock_timestamp() END
      WHERE id = $1`,
    [typeIdToUuid('rdl', o.id), o.nextId === undefined ? null : typeIdToUuid('dlv', o.nextId), o.scanned, o.deliveries],
  )
}

/** Puts the next slice of a redelivery off; the turn of its tenant counts as taken. By primary key. */
export async function delayRedelivery(
  db: Queryable,
  o: { readonly id: string; readonly delayMs: number },
): Promise<void> {
  await db.query(
    `UPDATE redeliveries SET updated_at = clock_timestamp(), due_at = clock_timestamp() + $2 * interval '1 ms' WHERE id = $1`,
    [typeIdToUuid('rdl', o.id), o.delayMs],
  )
}

/**
 * Notes that a slice ended with an error: it is tried again after `delayMs`, and after `slicesMax` such slices in a row the
 * redelivery has failed. By primary key.
 */
export async function noteFailedSlice(
  db: Queryable,
  o: { readonly id: string; readonly delayMs: number; readonly slicesMax: number },
): Promise<void> {
  await db.query(
    `UPDATE redeliveries
        SET failed_slices = failed_slices + 1, updated_at = clock_timestamp(),
            due_at = clock_timestamp() + $2 * interval '1 ms',
            state = CASE WHEN failed_slices + 1 >= $3 THEN 'failed' ELSE state END,
            finished_at = CASE WHEN failed_slices + 1 >= $3 THEN clock_timestamp() END
      WHERE id = $1 AND state = 'running'`,
    [typeIdToUuid('rdl', o.id), o.delayMs, o.slicesMax],
  )
}
