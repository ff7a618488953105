import type { Queryable } from '../queryable.ts'
import type { LogEpoch } from './current-epoch.ts'

/**
 * Opens a new epoch, one above all others of the database (1 for the first), for a topic. Two openers at once: the second fails with 23505, as the epoch is the
 * primary key. Owner's role only: services cannot change what the log is.
 */
export async function openEpoch(
  db: Queryable,
  o: { readonly topic: string; readonly clusterId: string; readonly topicId?: string | null },
): Promise<LogEpoch> {
  const { topic, clusterId, topicId = null } = o
  const { rows } = await db.query<{ epoch: number }>(
    `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id)
     SELECT coalesce(max(epoch), 0) + 1, $1, $2, $3 FROM log_epochs
     RETURNING epoch`,
    [topic, clusterId, topicId],
  )
  const row = rows[0]
  if (!row) throw new Error('INSERT … RETURNING gave no row')
  return { epoch: row.epoch, clusterId, topicId }
}
