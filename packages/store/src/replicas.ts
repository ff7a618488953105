import type { Queryable } from './queryable.ts'

/** A row that was not renewed for so long is of a process that has gone. */
const GONE = `interval '15 seconds'`

/**
 * Says that a process of a service is at work, and answers how many of the service are; this one counts. Rows of processes
 * that have gone for a minute are removed. By primary key.
 */
export async function renewReplica(
  db: Queryable,
  o: { readonly service: string; readonly replica: string },
): Promise<number> {
  const { rows } = await db.query<{ replicas: number }>(
    `WITH renewed AS (
       INSERT INTO service_replicas (service, replica) VALUES ($1, $2::uuid)
       ON CONFLICT (service, replica) DO UPDATE SET seen_at = now()),
     removed AS (
       DELETE FROM service_replicas WHERE service = $1 AND replica <> $2::uuid AND seen_at < now() - interval '1 minute')
     SELECT count(*) + 1 AS replicas FROM service_replicas
      WHERE service = $1 AND replica <> $2::uuid AND seen_at > now() - ${GONE}`,
    [o.service, o.replica],
  )
  return rows[0]?.replicas ?? 1
}

/** Says that a process has ended. By primary key. */
export async function removeReplica(
  db: Queryable,
  o: { readonly service: string; readonly replica: string },
): Promise<void> {
  await db.query('DELETE FROM service_replicas WHERE service = $1 AND replica = $2::uuid', [o.service, o.replica])
}
