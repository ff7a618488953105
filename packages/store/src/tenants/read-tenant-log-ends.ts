import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/**
 * Where the records of former owners end in a partition, by tenant: those whose end is above `from`. In a transaction that
 * inserts what it has read it comes after the first write, so that a deletion waits for that transaction. By the index
 * tenant_log_ends_partition.
 */
export async function readTenantLogEnds(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly from: number },
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ tenant_id: string; end_offset: number }>(
    prepared(
      'SELECT tenant_id, end_offset FROM tenant_log_ends WHERE epoch = $1 AND partition = $2 AND end_offset > $3',
      [o.epoch, o.partition, o.from],
    ),
  )
  return new Map(rows.map((row) => [row.tenant_id, row.end_offset]))
}

/** Where the records of a tenant's former owners end, by partition. By primary key. */
export async function readLogEndsOfTenant(
  db: Queryable,
  o: { readonly tenant: string; readonly epoch: number },
): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ partition: number; end_offset: number }>(
    prepared('SELECT partition, end_offset FROM tenant_log_ends WHERE tenant_id = $1 AND epoch = $2', [
      o.tenant,
      o.epoch,
    ]),
  )
  return new Map(rows.map((row) => [row.partition, row.end_offset]))
}
