import { plainArray, prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** Where the records of former owners end: by partition, and there by tenant. */
export type TenantLogEndsRead = ReadonlyMap<number, ReadonlyMap<string, number>>

/**
 * Where the records of former owners end in partitions: those whose end is above the partition's offset in `from`. In a
 * transaction that inserts what it has read it comes after the first write, so that a deletion waits for that transaction. By
 * the index tenant_log_ends_partition.
 */
export async function readTenantLogEnds(
  db: Queryable,
  o: { readonly epoch: number; readonly from: ReadonlyMap<number, number> },
): Promise<TenantLogEndsRead> {
  const { rows } = await db.query<{ partition: number; tenant_id: string; end_offset: number }>(
    prepared(
      `SELECT l.partition, l.tenant_id, l.end_offset
         FROM unnest($2::int[], $3::bigint[]) AS f (partition, from_offset)
        CROSS JOIN LATERAL (
               SELECT partition, tenant_id, end_offset
                 FROM tenant_log_ends
                WHERE epoch = $1 AND partition = f.partition AND end_offset > f.from_offset) l`,
      [o.epoch, plainArray([...o.from.keys()]), plainArray([...o.from.values()])],
    ),
  )
  const ends = new Map<number, Map<string, number>>()
  for (const { partition, tenant_id: tenant, end_offset: end } of rows) {
    const ofPartition = ends.get(partition) ?? new Map<string, number>()
    ends.set(partition, ofPartition.set(tenant, end))
  }
  return ends
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
