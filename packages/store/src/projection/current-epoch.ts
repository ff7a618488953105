import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** An identity of a topic: the same name on another cluster, made again, or after a wipe, is another epoch (design 4.4). */
export interface LogEpoch {
  readonly epoch: number
  readonly clusterId: string
  /** Id of the topic; null when it is not known. */
  readonly topicId: string | null
}

/** Reads the newest epoch of a topic; undefined before the migrate step has opened the first. */
export async function currentEpoch(db: Queryable, topic: string): Promise<LogEpoch | undefined> {
  const { rows } = await db.query<{ epoch: number; cluster_id: string; topic_id: string | null }>(
    prepared(`SELECT epoch, cluster_id, topic_id FROM log_epochs WHERE topic = $1 ORDER BY epoch DESC LIMIT 1`, [
      topic,
    ]),
  )
  const row = rows[0]
  return row && { epoch: row.epoch, clusterId: row.cluster_id, topicId: row.topic_id }
}
