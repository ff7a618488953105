import { prepared, type Queryable } from '@ariftly/store'

/** Identifies one life of a Redis. */
export interface QueueIdentity {
  /** A key in Redis that is lost with its data. */
  readonly marker: string
  /** Another one after each restart and failover. */
  readonly runId: string
}

/**
 * Notes the Redis that holds the jobs. True when it was another one before: the caller is the one that releases what is
 * queued, in this transaction, as its jobs may be lost.
 */
export async function claimQueue(tx: Queryable, { marker, runId }: QueueIdentity): Promise<boolean> {
  const { rowCount } = await tx.query(
    prepared(`UPDATE webhook_queue SET marker = $1, run_id = $2 WHERE (marker, run_id) IS DISTINCT FROM ($1, $2)`, [
      marker,
      runId,
    ]),
  )
  return rowCount === 1
}
