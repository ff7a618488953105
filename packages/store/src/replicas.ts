import { randomUUID } from 'node:crypto'
import type { Queryable } from './queryable.ts'

/** A row that was not renewed for so long is of a process that has gone: three renewals are missed. */
const GONE = `interval '15 seconds'`
/** How often a process renews its row, ms. */
export const RENEW_REPLICA_MS = 5_000

/** This process among those of its service, each of which is a row that it renews. */
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

  /** Whether it was not renewed for so long that it should be. */
  get isDue(): boolean {
    return performance.now() - this.#renewedMs >= RENEW_REPLICA_MS
  }

  /**
   * Says that this process is at work, and answers how many of the service are; this one counts. Rows of processes
   * that have gone for a minute are removed. By primary key.
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
