import type { Queryable } from '@ariftly/store'

/** The stream counts of one gateway. */
interface StreamCountsOptions {
  /** The id of the process, a UUID, as of its `Replica` under `service`. */
  readonly replica: string
  readonly service: string
  /** Open streams here of each tenant that is asked for; 0 for none. */
  readonly counts: ReadonlyMap<string, number>
}

/**
 * Stores this process's counts of open streams of these tenants, and returns the sums of all other live processes, by tenant. By
 * primary keys; rows of dead processes do not count and are removed.
 */
export async function exchangeStreamCounts(
  db: Queryable,
  o: StreamCountsOptions,
): Promise<ReadonlyMap<string, number>> {
  const open = [...o.counts].filter(([, streams]) => streams > 0)
  const { rows } = await db.query<{ tenant_id: string; streams: number }>({
    name: 'exchange-stream-counts',
    text: `WITH written AS (
             INSERT INTO open_stream_counts (replica, tenant_id, streams)
             SELECT $1::uuid, * FROM unnest($2::text[], $3::int[])
             ON CONFLICT (replica, tenant_id) DO UPDATE SET streams = excluded.streams),
           alive AS (
             SELECT replica FROM service_replicas WHERE service = $5 AND seen_at > now() - interval '15 seconds'),
           removed AS (
             DELETE FROM open_stream_counts
              WHERE (replica = $1::uuid AND tenant_id <> ALL ($2::text[]))
                 OR (replica <> $1::uuid AND replica NOT IN (SELECT replica FROM alive)))
           SELECT tenant_id, sum(streams)::int AS streams FROM open_stream_counts
            WHERE tenant_id = ANY ($4::text[]) AND replica <> $1::uuid AND replica IN (SELECT replica FROM alive)
            GROUP BY tenant_id`,
    values: [
      o.replica,
      open.map(([tenant]) => tenant),
      open.map(([, streams]) => streams),
      [...o.counts.keys()],
      o.service,
    ],
  })
  return new Map(rows.map(({ tenant_id, streams }) => [tenant_id, streams]))
}
