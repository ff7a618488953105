import { type Queryable, callFunction } from '@ariftly/store'

/** For how long deliveries are kept: what was appended earlier cannot be delivered any more. */
export const KEPT_MS = 35 * 86_400_000

/**
 * Creates the weekly partitions of `deliveries` and `attempts` that ids with these milliseconds (inclusive) need and that are
 * missing; returns how many it created. None is created before what is kept, or more than 21 days after the later of Postgres's clock and
 * the newest append. 55P03: try again.
 */
export async function ensureDeliveryPartitions(
  db: Queryable,
  o: { readonly minMs: number; readonly maxMs: number },
): Promise<number> {
  return await callFunction(db, 'ensure_delivery_partitions', [o.minMs, o.maxMs])
}

/**
 * The append time of the oldest event whose deliveries are kept: their retention before the earlier of Postgres's clock and a day after the
 * newest append.
 */
export async function readDeliveriesKeptFrom(db: Queryable): Promise<number> {
  return await callFunction(db, 'deliveries_kept_from_ms', [])
}

/**
 * Drops the partitions of `deliveries` and `attempts` that ended longer ago than deliveries are kept; returns their names and how many of
 * the deliveries were not finished (`delivery_expired`: to be counted and logged). 55P03: try again later.
 */
export async function dropExpiredDeliveryPartitions(
  db: Queryable,
): Promise<{ readonly dropped: readonly string[]; readonly expired: number }> {
  const { rows } = await db.query<{ dropped: string[]; expired: number }>(
    'SELECT dropped, expired FROM drop_expired_delivery_partitions()',
  )
  return rows[0] ?? { dropped: [], expired: 0 }
}
