import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** What a slice has come to. */
export interface RedeliveryAdvance {
  readonly id: string
  /** The last delivery that was looked at, `dlv_…`; undefined when none follows: the redelivery is complete. */
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
