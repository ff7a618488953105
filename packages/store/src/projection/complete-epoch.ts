import type { Queryable } from '../queryable.ts'

/** Records the topic's id of an epoch that was opened before ids were recorded. Owner's role only. */
export async function completeEpoch(
  db: Queryable,
  o: { readonly epoch: number; readonly topicId: string },
): Promise<void> {
  await db.query('UPDATE log_epochs SET topic_id = $2 WHERE epoch = $1 AND topic_id IS NULL', [o.epoch, o.topicId])
}
