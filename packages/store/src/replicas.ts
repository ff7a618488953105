import { randomUUID } from 'node:crypto'
import type { Queryable } from './queryable.ts'

/** A process whose row was not renewed for this long is dead: three renewals are missing. */
const GONE = `interval '15 seconds'`
/** How often a process renews its row, ms. */
export const RENEW_REPLICA_MS = 5_000

/** This process as a row among its service's, which it renews. */
export class Replica {
  readonly service: string
  /** UUID of this process. */
  readonly id = randomUUID()
  readonly #db: Queryable
  #renewedMs = -Infinity

  constructor(db: Queryable, service: string) {
    this.#db = db
    this.service = service
  }

  /** Whether the row should be renewed now. */
  get isDue(): boolean {
    return performance.now() - this.#renewedMs >= RENEW_REPLICA_MS
  }

  /**
   * Renews this process's row and returns the number of the service's live processes, this one included. Removes rows of processes
   * that have been dead for a minute. By primary key.
   */
  async renew(): Promise<number> {
    const nowMs = performance.now()
    const { rows } = await this.#db.query<{ replicas: number }>(
      `WITH renewed AS (
         INSERT INTO service_replicas (service, replica) VALUES ($1, $2::uuid)
         ON CONFLICT (service, replica) DO UPDATE SET seen_at = now()),
       removed AS (
         DELETE FROM service_replicas WHERE service = $1 AND replica <> $2::uuid AND seen_at < now() - interval '1 minute')
       SELECT count(*) + 1 AS replicas FROM service_replicas
        WHERE service = $1 AND replica <> $2::uuid AND seen_at > now() - ${GONE}`,
      [this.service, this.id],
    )
    this.#renewedMs = nowMs
    return rows[0]?.replicas ?? 1
  }

  /** Says that this process has ended, if it was ever at work. By primary key. */
  async remove(): Promise<void> {
    if (this.#renewedMs === -Infinity) return
    await this.#db.query('DELETE FROM service_replicas WHERE service = $1 AND replica = $2::uuid', [
      this.service,
      this.id,
    ])
  }
}
