import type { Transaction } from '../queryable.ts'

/** Where the log ends, for a deletion. */
export interface TenantLogEnds {
  readonly tenant: string
  readonly epoch: number
  /** Next offset by partition. */
  readonly ends: ReadonlyMap<number, number>
  /** How often they were recorded before; nothing is written when another process has done it meanwhile. */
  readonly readBefore: number
}

/**
 * Records the ends of the log for a deletion, never lower than before. Readers leave out the tenant's records below them; the
 * number of this transaction tells which writers may not know of it ({@link deleteTenantSlice}). By primary key.
 */
export async function recordTenantLogEnds(tx: Transaction, o: TenantLogEnds): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE tenants SET log_ends_read = log_ends_read + 1, log_ends_xid = pg_current_xact_id(), updated_at = now()
      WHERE id = $1 AND state = 'deleting' AND log_ends_read = $2`,
    [o.tenant, o.readBefore],
  )
  if (rowCount === 0) return
  await tx.query(
    `INSERT INTO tenant_log_ends AS l (tenant_id, epoch, partition, end_offset)
     SELECT $1, $2, partition, end_offset FROM unnest($3::int[], $4::bigint[]) AS e (partition, end_offset)
     ON CONFLICT (tenant_id, epoch, partition) DO UPDATE SET end_offset = greatest(l.end_offset, excluded.end_offset)`,
    [o.tenant, o.epoch, [...o.ends.keys()], [...o.ends.values()]],
  )
}
