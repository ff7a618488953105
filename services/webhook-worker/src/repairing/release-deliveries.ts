import { uuidToTypeId } from '@ariftly/events'
import { prepared, type Queryable } from '@ariftly/store'
import { NOT_STARTED, TRANSITIONS } from '@ariftly/store/deliveries'

/** Webhooks whose deliveries were released, and how many of each. */
export type ReleasedDeliveries = ReadonlyMap<string, number>

/**
 * Puts deliveries whose lease has ended back to `pending`, due now, under a new attempt number: anything the old job
 * still does is refused by its guard. Rows that another transaction is just finishing are skipped. At most `limit`. By index
 * deliveries_leased.
 */
export async function releaseExpiredLeases(db: Queryable, o: { readonly limit: number }): Promise<ReleasedDeliveries> {
  return await release(db, `state = 'queued' AND lease_until < now()`, [o.limit])
}

/**
 * The same for the attempts of these workers, which are dead, and for what they queued: one that died between the commit and
 * the adding of its jobs leaves deliveries without a job. Jobs that are there are dropped by their guard.
 */
export async function releaseDeliveriesOf(
  db: Queryable,
  o: { readonly workers: readonly string[]; readonly limit: number },
): Promise<ReleasedDeliveries> {
  const where = `state = 'queued' AND worker_id = ANY ($2::uuid[])`
  return await release(db, where, [o.limit, o.workers])
}

/** The same for what is queued and has not begun, whose jobs are lost: of one worker, or of all. */
export async function releaseQueued(
  db: Queryable,
  o: { readonly limit: number; readonly workerId: string | undefined },
): Promise<ReleasedDeliveries> {
  const where = `state = 'queued' AND ${NOT_STARTED}`
  if (o.workerId === undefined) return await release(db, where, [o.limit])
  return await release(db, `${where} AND worker_id = $2`, [o.limit, o.workerId])
}

/** The ids are an array of a subquery, a planner hint: the rows are then found by id and not by a join. The condition is repeated as their guard. */
async function release(db: Queryable, where: string, values: readonly unknown[]): Promise<ReleasedDeliveries> {
  const { rows } = await db.query<{ webhook_id: string }>(
    prepared(
      `UPDATE deliveries d
        SET ${TRANSITIONS.release.set}
      WHERE id = ANY (ARRAY(SELECT id FROM deliveries d WHERE ${where} LIMIT $1 FOR UPDATE SKIP LOCKED)) AND ${where}
      RETURNING webhook_id`,
      [...values],
    ),
  )
  const released = new Map<string, number>()
  for (const row of rows) {
    const webhookId = uuidToTypeId('whk', row.webhook_id)
    released.set(webhookId, (released.get(webhookId) ?? 0) + 1)
  }
  return released
}
