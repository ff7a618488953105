import { defineRow, plain, type Queryable, type RowOf, time } from '@ariftly/store'

const processRow = defineRow('p', {
  /** `ingest`, `stream-gateway` or `webhook-worker`. */
  service: plain<string>(),
  /** UUID, another one after each start. */
  id: plain<string>(),
  /** Time of its last heartbeat, by the clock of Postgres. */
  seenAtMs: time(),
})

/** A process that has registered in Postgres. */
export type ProcessRow = RowOf<typeof processRow>

/** Processes of one kind that are listed. */
const PROCESSES_MAX = 500

/**
 * The processes that register in Postgres, by service: see `Replica`, and `beatWorker` for webhook workers. One that has gone stays until another one
 * of its kind removes it. By primary keys.
 */
export async function listProcesses(db: Queryable): Promise<readonly ProcessRow[]> {
  const { rows } = await db.query(
    `SELECT ${processRow.columns}
       FROM (
         (SELECT service, replica AS id, seen_at FROM service_replicas ORDER BY service, replica LIMIT $1)
          UNION ALL
         (SELECT 'webhook-worker', id, beat_at FROM webhook_workers ORDER BY id LIMIT $1)) AS p
      ORDER BY service, id`,
    [PROCESSES_MAX],
  )
  return rows.map(processRow.read)
}
