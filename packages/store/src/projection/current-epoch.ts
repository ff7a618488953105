import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** An identity of a topic: the same name on another cluster, or after a wipe, is another epoch (design 4.4). */
export interface LogEpoch {
  readonly epoch: number
  readonly clusterId: string
}

/** Reads the newest epoch of a topic; undefined before the migrate step has opened the first. */
export async function currentEpoch(db: Queryable, topic: string): Promise<LogEpoch | undefined> {
  const { rows } = await db.query<{ epoch: number; cluster_id: string }>(
    prepared(`SELECT epoch, cluster_id FROM log_epochs WHERE topic = $1 ORDER BY epoch DESC LIMIT 1`, [topic]),
  )
  const row = rows[0]
  return row && { epoch: row.epoch, clusterId: row.cluster_id }
}
